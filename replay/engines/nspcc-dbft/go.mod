module milp/engines/nspcc-dbft

go 1.25

require (
	github.com/nspcc-dev/dbft v0.4.0
	go.uber.org/zap v1.27.0
)

require go.uber.org/multierr v1.10.0 // indirect

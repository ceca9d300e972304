package main

import (
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// impossible is what the engine says of a state it should never be in.
type impossible string

// newLogger makes a logger that panics with what the engine logs at a level no sane run reaches;
// the rest is dropped. The engine's own way out of a fatal error is to end the process.
func newLogger() *zap.Logger { return zap.New(faultCore{}) }

type faultCore struct{}

func (faultCore) Enabled(level zapcore.Level) bool    { return level >= zapcore.DPanicLevel }
func (c faultCore) With([]zapcore.Field) zapcore.Core { return c }
func (faultCore) Sync() error                         { return nil }

func (c faultCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return checked.AddCore(entry, c)
	}
	return checked
}

func (faultCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	text := fmt.Sprintf("%s: %s", entry.Level, entry.Message)
	if len(fields) > 0 {
		values := zapcore.NewMapObjectEncoder()
		for _, field := range fields {
			field.AddTo(values)
		}
		text += fmt.Sprintf(" %v", values.Fields)
	}
	panic(impossible(text))
}

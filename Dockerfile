# docker build -t milp . && docker run --rm -v "$PWD:/work" milp solve instances/n4.yaml
# scripts/install/bare.sh does the RUN lines of this file in a bare Debian.
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl gcc libc6-dev pkg-config python3-pip
RUN curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --no-modify-path --profile minimal
COPY . /milp
WORKDIR /milp
RUN PATH=$PATH:/root/.cargo/bin scripts/highs.sh && PATH=$PATH:/root/.cargo/bin cargo install --locked --path cli --root /opt/milp
RUN mkdir -p /opt/milp/lib/milp && cp target/highs/highsbox/highs_dist/lib/libhighs.so /opt/milp/lib/milp

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libstdc++6 zlib1g && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/milp /usr/local
WORKDIR /work
ENTRYPOINT ["milp"]

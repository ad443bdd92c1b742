# What there is to do here: just --list

# Every test, the chaos tests among them (some minutes)
test *args:
    cargo nextest run --workspace {{args}}
    cargo test --workspace --doc

# Formatting and lints, as strict as in CI
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# The documentation of the library
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features

# The benchmarks, if there are any for that name
bench *args:
    cargo bench --workspace {{args}}

# Three experiments on a small shop, in under a minute
demo:
    cargo run --example demo

# What a failure looks like
failing:
    cargo nextest run -p chaos-test-examples --features failing --test failing --no-fail-fast

# The tests that need neither processes nor time
pure:
    cargo test -p chaos-test --no-default-features --lib

# What a clean build costs: the pure half, then the default
build-cost:
    cargo build -p chaos-test --no-default-features --timings --target-dir target/build-cost/pure
    cargo build -p chaos-test --timings --target-dir target/build-cost/default
    cargo tree -p chaos-test -e normal --prefix none --format '{p}' | sort -u | wc -l

# What chaos-test costs the tests of a service: crates, a clean build, and the build after a change (some minutes)
cost rounds="7":
    tests/newcomer/cost {{rounds}}

# Mutated records, then mutated catalogues, for that many seconds each; what is found is kept and told
fuzz seconds="600":
    CHAOS_TEST_FUZZ_SECONDS={{seconds}} cargo test --profile fuzz -p chaos-test --no-default-features --features reports --test fuzz records -- --nocapture
    CHAOS_TEST_FUZZ_SECONDS={{seconds}} cargo test --profile fuzz -p chaos-test --no-default-features --features reports --test fuzz catalogues -- --nocapture

# The JSON Schemas in docs/schema, made again from the types
schemas:
    UPDATE_EXPECTED=1 cargo test -p chaos-test-suite --test schemas the_schemas_in_docs

# The generated parts of docs/quick-reference.md, made again from the commands and from the schema of the catalogue
reference:
    UPDATE_EXPECTED=1 cargo test -p chaos-test --features cli --bin cargo-chaos reference
    UPDATE_EXPECTED=1 cargo test -p chaos-test-suite --test quick_reference

# docs/public-api.txt, made again from the sources
public-api:
    UPDATE_EXPECTED=1 cargo test -p chaos-test-suite --test public_api the_public_api

# Tests killed at random and at chosen moments, hundreds of them; nothing may be left (some minutes)
crash rounds="300":
    CHAOS_TEST_CRASH_ROUNDS={{rounds}} cargo nextest run -p chaos-test-suite --profile crash --test crash --no-capture

# Every scenario of the built-in catalogue on the demo service, shortened, and every report of it (some minutes)
scenarios duration="5" out="target/chaos-scenarios":
    cargo build -p chaos-test-examples --bin shop
    code=0; \
    cargo run -p chaos-test --features cli --bin cargo-chaos -- run --restart --duration {{duration}} \
        --command "${CARGO_TARGET_DIR:-target}/debug/shop --port {port}" || code=$?; \
    [ "$code" -le 1 ] || exit "$code"; \
    cargo run -p chaos-test --features cli --bin cargo-chaos -- report --out "{{out}}" && exit "$code"

# Services in containers; the images are made here, and none is pulled (some minutes)
containers:
    CHAOS_TEST_REQUIRE=docker cargo nextest run --profile docker -p chaos-test -p chaos-test-suite \
        --features containers --lib --test 'containers*'

# Tests with containers that are killed at random and at chosen moments (some minutes)
containers-crash rounds="100":
    CHAOS_TEST_REQUIRE=docker CHAOS_TEST_CRASH_ROUNDS={{rounds}} cargo nextest run --profile docker \
        -p chaos-test-suite --features containers --test containers_killed --no-capture

# The example service with a database and a cache, in fair weather and foul (two minutes)
tea:
    cargo nextest run -p chaos-test-examples --features tea --test tea_shop

# The same service in containers, a chaos test for each group of the catalogue; the images are made here (seven minutes)
tea-containers:
    tests/images/build
    CHAOS_TEST_REQUIRE=docker cargo nextest run -p chaos-test-examples --features tea-containers --test tea_containers

# The same again and again, one test at a time, each round a run of its own: does a verdict flip? (more than an hour)
tea-containers-rounds rounds="10" *args:
    tests/images/build
    flipped=''; \
    for round in $(seq {{rounds}}); do \
        echo "round $round of {{rounds}}"; \
        CHAOS_TEST_REQUIRE=docker cargo nextest run -p chaos-test-examples --features tea-containers \
            --test tea_containers --test-threads 1 --no-fail-fast {{args}} || flipped="$flipped $round"; \
    done; \
    [ -z "$flipped" ] || { echo "not all passed in round$flipped"; exit 1; }

# The netem rung, proven in a small virtual machine
netem:
    tests/vm/netem

# What must hold before a change goes in
ci:
    .ci/run

# What maintainers type. `just check` is what CI runs; `./test` also sets up what is missing.

default:
    @just --list

# Formatting, lints, tests, docs, dependencies, real clients, pages.
check:
    ./test

# The same tests without the release binary, clients and browser.
quick:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo nextest run --workspace

# Hours of it: kill -9 rounds, power cuts, random ledger histories. `just soak 200` kills 200 times.
soak rounds="200":
    MEDICI_KILL_ROUNDS={{rounds}} cargo nextest run --profile soak --release -p medici --test kill9
    MEDICI_POWER_CUTS={{rounds}} cargo nextest run --profile soak --release -p medici --test power_cut
    MEDICI_MODEL_STEPS=10000000 cargo nextest run --profile soak --release -p medici-ledger --test model

# Changes the ledger in every small way and runs its tests: what survives is a rule that no test keeps. Hours; a part
# of it is `just mutants -f '*/apply/*'`. What is known to change nothing is in .cargo/mutants.toml.
mutants *args:
    MEDICI_MODEL_STEPS=4000 cargo mutants --package medici-ledger {{args}} -- -E 'not (binary(flips) or binary(no_floats) or test(every_planted_mistake))'

# The performance bars beside this machine's own limits.
bench:
    cargo build --release
    target/release/medici bench ledger
    target/release/medici bench http

# Known vulnerabilities, against a local copy of the RustSec database.
audit db:
    cargo audit --db {{db}} --no-fetch --no-yanked

//! The command line as users meet it: the built `omnipkg`, a store and an index of its own for each test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "cli/arguments.rs"]
mod arguments;
#[path = "cli/bisect.rs"]
mod bisect;
#[path = "cli/bytecode.rs"]
mod bytecode;
#[path = "cli/contexts.rs"]
mod contexts;
#[path = "cli/demos.rs"]
mod demos;
#[path = "cli/dry_runs.rs"]
mod dry_runs;
#[path = "cli/environments.rs"]
mod environments;
#[path = "cli/failures.rs"]
mod failures;
#[path = "cli/faults.rs"]
mod faults;
#[path = "cli/generations.rs"]
mod generations;
#[path = "cli/heal.rs"]
mod heal;
#[path = "cli/heal_others.rs"]
mod heal_others;
#[path = "cli/heal_python.rs"]
mod heal_python;
#[path = "cli/heal_search.rs"]
mod heal_search;
#[path = "cli/indexes.rs"]
mod indexes;
#[path = "cli/inline.rs"]
mod inline;
#[path = "cli/install.rs"]
mod install;
#[path = "cli/ladder.rs"]
mod ladder;
#[path = "cli/large.rs"]
mod large;
#[path = "cli/loader.rs"]
mod loader;
#[path = "cli/locks.rs"]
mod locks;
#[path = "cli/missing.rs"]
mod missing;
#[path = "cli/mount.rs"]
mod mount;
#[path = "cli/pins.rs"]
mod pins;
#[path = "cli/predict.rs"]
mod predict;
#[path = "cli/project_files.rs"]
mod project_files;
#[path = "cli/projection.rs"]
mod projection;
#[path = "cli/python2.rs"]
mod python2;
#[path = "cli/python_archives.rs"]
mod python_archives;
#[path = "cli/python_side.rs"]
mod python_side;
#[path = "cli/pythons.rs"]
mod pythons;
#[path = "cli/rebinding.rs"]
mod rebinding;
#[path = "cli/remembered.rs"]
mod remembered;
#[path = "cli/requirement_files.rs"]
mod requirement_files;
#[path = "cli/resolve.rs"]
mod resolve;
#[path = "cli/server.rs"]
mod server;
#[path = "cli/show.rs"]
mod show;
#[path = "cli/signals.rs"]
mod signals;
#[path = "cli/sources.rs"]
mod sources;
#[path = "cli/spread.rs"]
mod spread;
#[path = "cli/stress.rs"]
mod stress;
#[path = "cli/support.rs"]
mod support;
#[path = "cli/takeover.rs"]
mod takeover;
#[path = "cli/tls.rs"]
mod tls;
#[path = "cli/together.rs"]
mod together;
#[path = "cli/tools.rs"]
mod tools;
#[path = "cli/unchanged.rs"]
mod unchanged;
#[path = "cli/views.rs"]
mod views;
#[path = "cli/workers.rs"]
mod workers;
#[path = "cli/writable.rs"]
mod writable;

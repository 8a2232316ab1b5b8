//! `omnipkg status`: the store, the projection, the server and the active environment. Starts and makes nothing.

use crate::commands::open_store;
use crate::demos;
use crate::output;
use crate::projection;
use crate::server;
use crate::settings::{ProjectionChoice, Settings};
use crate::writable::{self, Summary};
use anyhow::Result;
use omnipkg_store::catalog::Catalog;
use omnipkg_store::environment::Environments;
use std::fs;

/// Prints the state.
pub fn status(settings: &Settings) -> Result<u8> {
    let store = open_store(settings)?;
    let layout = store.layout();
    let environments = Environments::new(&store);
    let active = environments.active()?;
    let (wheels, bytes) = Catalog::open(&store)?.totals()?;
    let views = fs::read_dir(layout.views()).map_or(0, Iterator::count);
    let running = server::process(layout).map(|process| process.as_raw());
    let demos = demos::lasting::server(layout).map(|process| process.as_raw());
    let (projection, reason) = match (settings.projection, projection::fallen_to_links(layout)) {
        (ProjectionChoice::Link, _) => ("links", Some("OMNIPKG_PROJECTION=link".to_owned())),
        (ProjectionChoice::Probe, Some(reason)) => ("links", Some(reason)),
        _ => ("mount", None),
    };
    let kept = writable::list(&store);
    if settings.json {
        let json = serde_json::json!({
            "schema": 1,
            "store": layout.root(),
            "projection": projection,
            "reason": reason,
            "server": running,
            "demo_server": demos,
            "active": active,
            "environments": environments.names()?,
            "wheels": wheels,
            "bytes": bytes,
            "views": views,
            "writable": kept.iter().map(Summary::to_json).collect::<Vec<_>>(),
        });
        println!("{json}");
        return Ok(0);
    }
    println!("store: {}", layout.root().display());
    match reason {
        Some(reason) => println!("projection: {projection} ({reason})"),
        None => println!("projection: {projection}"),
    }
    match running {
        Some(process) => println!("server: running (process {process})"),
        None => println!("server: not running"),
    }
    if let Some(process) = demos {
        println!("demos' server: running (process {process})");
    }
    match active {
        Some(name) => println!("active: {name}"),
        None => println!("active: none"),
    }
    println!("environments: {}", environments.names()?.join(", "));
    println!("wheels: {wheels} ({} before deduplication)", output::bytes(bytes));
    println!("views: {views}");
    for layer in kept {
        println!("writable: {} ({})", layer.name, writable::sum(&layer.changes));
    }
    Ok(0)
}

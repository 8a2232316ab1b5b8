//! scratch
#![allow(clippy::unwrap_used)]
use omnipkg_resolver::*;
use omnipkg_store::{Store, tags::*};
use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};
use std::sync::Arc;
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (index, python, store) = (&args[0], &args[1], &args[2]);
    let code = "import sys,platform,os\ntry:\n from packaging.tags import sys_tags\nexcept ImportError:\n from pip._vendor.packaging.tags import sys_tags\nprint(platform.python_version());print(platform.python_version().rsplit('.',1)[0]);print(platform.release());print(' '.join(map(str,sys_tags())))";
    let out = std::process::Command::new(python).args(["-c", code]).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let markers = MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython", implementation_version: lines[0], os_name: "posix", platform_machine: "x86_64",
        platform_python_implementation: "CPython", platform_release: lines[2], platform_system: "Linux",
        platform_version: "1", python_full_version: lines[0], python_version: lines[1], sys_platform: "linux" }).unwrap();
    let tags = Tags::new(lines[3].split(' ').map(|t| { let p: Vec<&str> = t.split('-').collect(); WheelTag::new(p[0], p[1], p[2]) }));
    let target = Target { markers, python: lines[0].parse().unwrap(), tags, prerelease: Prerelease::IfNamed };
    let offline = std::env::var("OFFLINE").is_ok();
    let indexes = Indexes { index_url: index.parse().unwrap(), extra: vec![] };
    let resolver = Resolver::new(Store::open(store).unwrap(), &indexes, HttpOptions { offline, ..Default::default() }, Arc::new(Silent));
    let request = Request { requirements: args[3..].iter().map(|r| r.parse().unwrap()).collect(), constraints: vec![], preferences: Default::default(), target };
    let start = std::time::Instant::now();
    match resolver.resolve(&request) {
        Ok(lock) => { print!("{lock}"); eprintln!("{} wheels in {:?}", lock.wheels.len(), start.elapsed()); 
          if std::env::var("AGAIN").is_ok() { let s = std::time::Instant::now(); let l2 = resolver.resolve(&request).unwrap(); eprintln!("again {:?} same {}", s.elapsed(), l2 == lock); } }
        Err(error) => { eprintln!("error: {error}"); let mut s = std::error::Error::source(&error); while let Some(e) = s { eprintln!("  caused by {e}"); s = e.source(); } eprintln!("{:?}", start.elapsed()); }
    }
}

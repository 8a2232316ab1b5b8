//! Universes in words: what an index offers and what is asked of it, and a resolver over them with no server.
//!
//! One line an archive, a wheel if it is not said to be an `sdist`, fields apart by ` | `; `{1..9}` makes a line nine, and `{}` is the number there:
//!
//!     a 2.0 | needs b>=1 | needs c ; extra == 'x' | extra x | python >=3.9 | tag cp37-cp37m-win32 | yanked broken
//!
//! `silent` is what Python it needs to all but its metadata.
//!
//! A question is a line too: requirements, and `constraint`, `override`, `prefer`, `prerelease`, `resolution`,
//! `only-binary`, `no-binary`.
//! Pages and metadata go through the parsers that an index's would; only HTTP is left out.

use super::{Context, Wheel, request, requirements, wheel};
use crate::error::Error;
use crate::formats::Formats;
use crate::http_options::HttpOptions;
use crate::indexes::Indexes;
use crate::lock::Lock;
use crate::metadata::Metadata;
use crate::progress::Progress;
use crate::request::{Prerelease, Request, Resolution};
use crate::resolver::Resolver;
use crate::shared::{Lookup, lock};
use crate::simple;
use pep508_rs::PackageName;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use url::Url;

/// What the only index of a universe is called in errors.
const INDEX: &str = "127.0.0.1/simple";

/// The wheels of a line.
pub(crate) fn wheels(line: &str) -> Vec<Wheel> {
    let Some((before, rest)) = line.split_once('{').filter(|(_, rest)| rest.contains("..")) else {
        return vec![one_wheel(line)];
    };
    let (range, after) = rest.split_once('}').unwrap();
    let (first, last) = range.split_once("..").unwrap();
    let numbers = first.parse::<u32>().unwrap()..=last.parse().unwrap();
    numbers.map(|n| one_wheel(&format!("{before}{n}{}", after.replace("{}", &n.to_string())))).collect()
}

fn one_wheel(line: &str) -> Wheel {
    let mut fields = line.split(" | ");
    let (name, version) = fields.next().unwrap().trim().split_once(' ').unwrap();
    fields.fold(wheel(name, version, &[]), |mut made, field| match field.trim().split_once(' ') {
        Some(("needs", requirement)) => {
            made.requires.push(requirement.to_owned());
            made
        }
        Some(("extra", extra)) => made.extra(extra),
        Some(("python", specifiers)) => made.python(specifiers),
        Some(("tag", tag)) => made.tag(tag),
        Some(("yanked", reason)) => made.yanked(reason),
        _ if field.trim() == "yanked" => made.yanked(""),
        _ if field.trim() == "silent" => Wheel { is_silent: true, ..made },
        _ if field.trim() == "sdist" => Wheel { is_source: true, ..made },
        _ => panic!("{field:?} of {line:?} is no field"),
    })
}

/// The request of a question.
pub(crate) fn question(text: &str) -> Request {
    let mut asked = Request { formats: Formats::default(), ..request(&[]) };
    for part in text.split(" | ") {
        match part.split_once(' ') {
            Some(("constraint", requirement)) => asked.constraints.extend(requirements(&[requirement])),
            Some(("override", requirement)) => asked.overrides.extend(requirements(&[requirement])),
            Some(("prefer", pin)) => {
                let (name, version) = pin.split_once("==").unwrap();
                asked.preferences.insert(name.to_owned(), version.parse().unwrap());
            }
            Some(("prerelease", mode)) => asked.target.prerelease = prerelease(mode),
            Some(("only-binary", names)) => asked.formats.only_binary.add(names).unwrap(),
            Some(("no-binary", names)) => asked.formats.no_binary.add(names).unwrap(),
            Some(("resolution", "lowest")) => asked.resolution = Resolution::Lowest,
            Some(("resolution", "lowest-direct")) => asked.resolution = Resolution::LowestDirect,
            _ => asked.requirements.extend(requirements(&[part])),
        }
    }
    asked
}

fn prerelease(mode: &str) -> Prerelease {
    match mode {
        "allow" => Prerelease::Allow,
        "disallow" => Prerelease::Disallow,
        "explicit" => Prerelease::Explicit,
        "if-necessary" => Prerelease::IfNecessary,
        _ => panic!("{mode:?} is no way to treat pre-releases"),
    }
}

/// A resolver whose answers from the index are put in its memory before it asks.
pub(crate) struct MemoryIndex {
    resolver: Resolver,
    heard: Arc<Heard>,
    /// Holds the store.
    _context: Context,
}

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Progress for Heard {
    fn warning(&self, text: &str) {
        lock(&self.0).push(text.to_owned());
    }
}

impl MemoryIndex {
    pub(crate) fn new() -> Self {
        let context = Context::new();
        let heard = Arc::new(Heard::default());
        let indexes = Indexes { index_url: Some(format!("http://{INDEX}").parse().unwrap()), ..Indexes::default() };
        // What is not in memory is an error.
        let http = HttpOptions { offline: true, ..HttpOptions::default() };
        let resolver = Resolver::new(context.store(), &indexes, http, heard.clone());
        Self { resolver, heard, _context: context }
    }

    /// The lock, and the warnings.
    pub(crate) fn answer(&self, offered: &[Wheel], asked: &Request) -> (Result<Lock, Error>, Vec<String>) {
        self.fill(offered, asked);
        let result = self.resolver.resolve(asked);
        (result, std::mem::take(&mut *lock(&self.heard.0)))
    }

    fn fill(&self, offered: &[Wheel], asked: &Request) {
        let shared = &self.resolver.shared;
        let base: Url = "http://127.0.0.1/simple/x/".parse().unwrap();
        let mut pages: BTreeMap<PackageName, Vec<serde_json::Value>> = BTreeMap::new();
        let mut named: BTreeSet<PackageName> = asked.requirements.iter().map(|one| one.name.clone()).collect();
        let mut metadata = lock(&shared.metadata);
        metadata.clear();
        for wheel in offered {
            let name: PackageName = wheel.name.parse().unwrap();
            let parsed = Metadata::parse(wheel.metadata().as_bytes(), &wheel.filename(), Some(&name)).unwrap();
            named.extend(parsed.requires.iter().map(|one| one.name.clone()));
            metadata.insert(base.join(&wheel.filename()).unwrap(), Arc::new(parsed));
            pages.entry(name).or_default().push(serde_json::json!({
                "filename": wheel.filename(),
                "url": wheel.filename(),
                "requires-python": wheel.requires_python.as_ref().filter(|_| !wheel.is_silent),
                "yanked": wheel.yanked,
            }));
        }
        let mut known = lock(&shared.pages);
        known.clear();
        known.extend(named.into_iter().map(|name| (name, Lookup::Unknown(vec![INDEX.to_owned()]))));
        for (name, files) in pages {
            let page = serde_json::json!({ "files": files }).to_string();
            let page = simple::parse("application/json", page.as_bytes(), &base).unwrap();
            assert!(page.skipped.is_empty(), "{:?}", page.skipped);
            known.insert(name, Lookup::Found(Arc::new(page)));
        }
    }
}

//! The catalog: an SQLite index of the wheels in the store, for questions that manifests answer slowly.
//!
//! Which wheels of a project are held, and which distributions provide an import name. It is never the
//! truth: everything in it is read from wheel manifests and can be made again from them ([`Catalog::rebuild`]).
//! The warm path of `run` does not open it.

use crate::digest::Sha256;
use crate::error::{Error, IoContext, Result};
use crate::layout::Store;
use crate::wheel::WheelManifest;
use rusqlite::{Connection, OptionalExtension, params};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Each step takes the schema from its position to the next; `user_version` counts the steps done.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE wheel (
        sha256 TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        filename TEXT NOT NULL,
        files INTEGER NOT NULL,
        bytes INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX wheel_name ON wheel (name, version);
    CREATE TABLE provides (
        import_name TEXT NOT NULL,
        sha256 TEXT NOT NULL REFERENCES wheel (sha256) ON DELETE CASCADE,
        PRIMARY KEY (import_name, sha256)
    ) STRICT, WITHOUT ROWID;
"];

/// One wheel as the catalog knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogWheel {
    /// The archive's hash, which names its manifest.
    pub sha256: Sha256,
    /// Normalised project name.
    pub name: String,
    /// Version.
    pub version: String,
    /// The archive's file name.
    pub filename: String,
    /// Number of files.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// An open catalog.
pub struct Catalog {
    connection: Connection,
    path: PathBuf,
}

impl Catalog {
    /// Opens the catalog and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::Catalog`]; [`Error::Damaged`] if a newer omnipkg wrote it.
    pub fn open(store: &Store) -> Result<Self> {
        let path = store.layout().catalog();
        let fail = |operation| {
            let path = path.clone();
            move |source| Error::Catalog { operation, path, source }
        };
        let mut connection = Connection::open(&path).map_err(fail("open"))?;
        connection.busy_timeout(Duration::from_secs(30)).map_err(fail("open"))?;
        // WAL: readers never wait for a writer; a lost tail is rebuilt from the manifests.
        let mode = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
        if connection.pragma_query_value(None, "journal_mode", mode).map_err(fail("open"))? != "wal" {
            // Changing to it does not wait for others who do the same: one at a time.
            let _held = store.layout().hold("catalog")?;
            connection.pragma_update(None, "journal_mode", "WAL").map_err(fail("open"))?;
        }
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(fail("open"))?;
        connection.pragma_update(None, "foreign_keys", true).map_err(fail("open"))?;
        let newer = migrate(&mut connection).map_err(fail("migrate"))?;
        if newer {
            let reason = "a newer omnipkg wrote it; it may be deleted, it is rebuilt from the manifests".to_owned();
            return Err(Error::Damaged { what: "catalog", path, reason });
        }
        Ok(Self { connection, path })
    }

    /// Adds a wheel, or does nothing if it is known.
    ///
    /// # Errors
    /// [`Error::Catalog`].
    pub fn add(&mut self, sha256: &Sha256, manifest: &WheelManifest) -> Result<()> {
        let path = self.path.clone();
        self.add_all([(*sha256, manifest)]).map_err(|source| Error::Catalog { operation: "write to", path, source })
    }

    fn add_all<'m>(&mut self, wheels: impl IntoIterator<Item = (Sha256, &'m WheelManifest)>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for (sha256, manifest) in wheels {
            let bytes: u64 = manifest.files.iter().map(|entry| entry.size).sum();
            transaction.execute(
                "INSERT OR IGNORE INTO wheel VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    sha256.to_hex(),
                    manifest.name.to_string(),
                    manifest.version.to_string(),
                    manifest.filename,
                    manifest.files.len() as i64,
                    bytes as i64
                ],
            )?;
            for import_name in &manifest.import_names {
                transaction
                    .execute("INSERT OR IGNORE INTO provides VALUES (?1, ?2)", params![import_name, sha256.to_hex()])?;
            }
        }
        transaction.commit()
    }

    /// The wheels held of a project (normalised name), in no particular order.
    ///
    /// # Errors
    /// [`Error::Catalog`].
    pub fn wheels_of(&self, name: &str) -> Result<Vec<CatalogWheel>> {
        self.query("SELECT sha256, name, version, filename, files, bytes FROM wheel WHERE name = ?1", name)
    }

    /// Projects whose wheels in this store provide an import name (`yaml` → `pyyaml`), sorted, without repeats.
    ///
    /// # Errors
    /// [`Error::Catalog`].
    pub fn projects_providing(&self, import_name: &str) -> Result<Vec<String>> {
        let mut wheels = self.query(
            "SELECT w.sha256, w.name, w.version, w.filename, w.files, w.bytes
             FROM provides p JOIN wheel w USING (sha256) WHERE p.import_name = ?1",
            import_name,
        )?;
        wheels.sort_by(|a, b| a.name.cmp(&b.name));
        wheels.dedup_by(|a, b| a.name == b.name);
        Ok(wheels.into_iter().map(|wheel| wheel.name).collect())
    }

    /// How many wheels are known, and the bytes of their files before deduplication.
    ///
    /// # Errors
    /// [`Error::Catalog`].
    pub fn totals(&self) -> Result<(u64, u64)> {
        self.connection
            .query_row("SELECT count(*), coalesce(sum(bytes), 0) FROM wheel", [], |row| {
                Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64))
            })
            .optional()
            .map(Option::unwrap_or_default)
            .map_err(|source| self.fail(source))
    }

    /// Makes the catalog again from the wheel manifests; returns how many there are.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Catalog`], or what a damaged manifest gives.
    pub fn rebuild(&mut self, store: &Store) -> Result<usize> {
        let directory = store.layout().wheels();
        let mut wheels = Vec::new();
        for entry in fs::read_dir(&directory).at("list", &directory)? {
            let entry = entry.at("list", &directory)?;
            let Some(sha256) = entry.file_name().to_str().and_then(|name| name.parse::<Sha256>().ok()) else {
                continue;
            };
            wheels.push((sha256, WheelManifest::read(store, &sha256)?));
        }
        let path = self.path.clone();
        let fail = move |source| Error::Catalog { operation: "rebuild", path, source };
        self.connection.execute("DELETE FROM wheel", []).map_err(fail.clone())?;
        self.add_all(wheels.iter().map(|(sha256, manifest)| (*sha256, manifest))).map_err(fail)?;
        Ok(wheels.len())
    }

    fn query(&self, sql: &str, parameter: &str) -> Result<Vec<CatalogWheel>> {
        let run = || -> rusqlite::Result<Vec<Option<CatalogWheel>>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map([parameter], |row| {
                let sha256: String = row.get(0)?;
                let Ok(sha256) = sha256.parse() else { return Ok(None) };
                Ok(Some(CatalogWheel {
                    sha256,
                    name: row.get(1)?,
                    version: row.get(2)?,
                    filename: row.get(3)?,
                    files: row.get::<_, i64>(4)? as u64,
                    bytes: row.get::<_, i64>(5)? as u64,
                }))
            })?;
            rows.collect()
        };
        Ok(run().map_err(|source| self.fail(source))?.into_iter().flatten().collect())
    }

    fn fail(&self, source: rusqlite::Error) -> Error {
        Error::Catalog { operation: "read", path: self.path.clone(), source }
    }
}

/// Runs the steps that are missing, each in a transaction; true if the database is from a later version.
fn migrate(connection: &mut Connection) -> rusqlite::Result<bool> {
    loop {
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Deferred)?;
        let done: usize = transaction.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))? as usize;
        drop(transaction);
        let Some(step) = MIGRATIONS.get(done) else { return Ok(done > MIGRATIONS.len()) };
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let now: usize = transaction.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))? as usize;
        if now == done {
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "user_version", (done + 1) as i64)?;
            transaction.commit()?;
        }
    }
}

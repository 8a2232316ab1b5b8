//! A table of times: what, and a number of columns.

use crate::output;
use std::time::Duration;

/// The width of a column of times.
const WIDTH: usize = 10;

/// A table of times in `N` columns.
pub struct Table<const N: usize> {
    rows: Vec<(String, [String; N])>,
}

impl<const N: usize> Table<N> {
    /// A table with only its head: what the rows are, and the names of the columns.
    pub fn new(what: &str, columns: [&str; N]) -> Self {
        Self { rows: vec![(what.to_owned(), columns.map(str::to_owned))] }
    }

    /// Adds a row; a missing time is a dash.
    pub fn row(&mut self, what: &str, times: [Option<Duration>; N]) {
        let cell = |time: Option<Duration>| time.map_or_else(|| "–".to_owned(), output::duration);
        self.rows.push((what.to_owned(), times.map(cell)));
    }

    /// Prints it.
    pub fn print(&self) {
        let first = self.rows.iter().map(|(what, _)| what.chars().count()).max().unwrap_or(0);
        for (what, cells) in &self.rows {
            let cells: String = cells.iter().map(|cell| format!("  {cell:>WIDTH$}")).collect();
            println!("   {what:first$}{cells}");
        }
    }
}

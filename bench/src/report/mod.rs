//! What becomes of the rows: a Markdown table, JSON with every sample, a bar plot.

mod json;
mod svg;
mod table;

pub use json::json;
pub use svg::svg;
pub use table::markdown;

/// Where and with what it was measured: names and what they are, in order.
pub type Circumstances = Vec<(&'static str, String)>;

/// A time in a unit that suits it, with three digits or so.
fn time(milliseconds: f64) -> String {
    let scale = Scale::of(milliseconds);
    format!("{} {}", scale.number(milliseconds), scale.unit)
}

/// A unit and how many decimals it takes, so that numbers that belong together look alike.
#[derive(Debug, Clone, Copy)]
struct Scale {
    unit: &'static str,
    milliseconds: f64,
    decimals: usize,
}

impl Scale {
    fn of(milliseconds: f64) -> Self {
        let (unit, per_unit, decimals) = match milliseconds.abs() {
            size if size >= 1000.0 => ("s", 1000.0, 2),
            size if size >= 100.0 => ("ms", 1.0, 0),
            size if size >= 10.0 => ("ms", 1.0, 1),
            _ => ("ms", 1.0, 2),
        };
        Self { unit, milliseconds: per_unit, decimals }
    }

    fn number(self, milliseconds: f64) -> String {
        format!("{:.*}", self.decimals, milliseconds / self.milliseconds)
    }
}

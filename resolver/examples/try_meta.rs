//! scratch
#![allow(clippy::unwrap_used)]
fn main() {
    for path in std::env::args().skip(1) {
        let name = std::path::Path::new(&path).file_name().unwrap().to_str().unwrap().to_owned();
        let wheel = omnipkg_store::tags::WheelFilename::parse(&name).unwrap();
        let r = omnipkg_store::wheel::read_metadata(std::fs::File::open(&path).unwrap(), &wheel);
        println!("{name} {:?}", r.map(|b| b.len()));
    }
}

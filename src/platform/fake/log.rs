//! What the driver did, as a table.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use core::fmt;

use crate::mmio::Endian;
use crate::platform::fake::map::{Map, Touched};
use crate::platform::fake::script::Running;
use crate::platform::fake::state::{find, Known};
use crate::time::Instant;

/// One access of the driver.
pub(super) struct Access {
    at: Option<Instant>,
    pub(super) write: bool,
    pub(super) offset: usize,
    pub(super) width: usize,
    /// As the bus carries it. `None`: not answered yet.
    pub(super) value: Option<u64>,
    /// Whether something is wrong with it.
    pub(super) mark: bool,
    remark: String,
}

impl Access {
    pub(super) fn new(
        at: Option<Instant>,
        offset: usize,
        width: usize,
        written: Option<u64>,
    ) -> Self {
        Access {
            at,
            write: written.is_some(),
            offset,
            width,
            value: written,
            mark: false,
            remark: String::new(),
        }
    }

    pub(super) fn remark(&mut self, remark: &str) {
        if !self.remark.is_empty() {
            self.remark.push_str("; ");
        }
        self.remark.push_str(remark);
    }
}

/// What the places of a device are called.
pub(super) struct Names<'a> {
    known: &'a [Known],
    maps: &'a [Map],
    /// How many hexadecimal digits an offset has.
    digits: usize,
}

impl<'a> Names<'a> {
    pub(super) fn new(known: &'a [Known], maps: &'a [Map], size: usize) -> Self {
        let digits = format!("{:x}", size.saturating_sub(1)).len().max(2);
        Names {
            known,
            maps,
            digits,
        }
    }

    fn find(&self, offset: usize, width: usize, write: bool) -> Option<&'a Known> {
        find(self.known, offset, width, write).map(|index| &self.known[index])
    }

    /// Of a register, or of what is in a run of memory.
    fn name(&self, offset: usize, width: usize, write: bool) -> Option<String> {
        if let Some(known) = self.find(offset, width, write) {
            return Some(known.spot.name.clone());
        }
        let mut touched = Vec::new();
        for map in self.maps {
            map.touched(&(offset..offset + width), &mut touched);
        }
        touched.into_iter().find_map(|touched| match touched {
            Touched::Memory(name) => Some(name),
            Touched::Register(_) => None,
        })
    }

    /// For a sentence.
    pub(super) fn of(&self, offset: usize, width: usize, write: bool) -> String {
        let name = self.name(offset, width, write);
        name.unwrap_or_else(|| format!("{width} bytes at {}", self.offset(offset)))
    }

    /// A value as the driver means it.
    pub(super) fn value(&self, access: &Access) -> String {
        let Some(value) = access.value else {
            return "?".into();
        };
        let known = self.find(access.offset, access.width, access.write);
        let value = match known.map(|known| known.spot.endian) {
            Some(Endian::Big) => value.swap_bytes() >> (64 - 8 * access.width),
            _ => value,
        };
        format!("{value:#0digits$x}", digits = 2 + 2 * access.width)
    }

    fn offset(&self, offset: usize) -> String {
        format!("{offset:#0digits$x}", digits = 2 + self.digits)
    }

    /// The registers that an access touches, if it is not exactly one.
    fn touched(&self, access: &Access) -> String {
        let touched = self.known.iter().map(|known| &known.spot);
        let mut touched: Vec<_> = touched
            .filter(|spot| {
                spot.offset < access.offset + access.width
                    && access.offset < spot.offset + spot.width
            })
            .map(|spot| (spot.offset, spot.name.as_str()))
            .collect();
        touched.sort_unstable();
        let names: Vec<&str> = touched.into_iter().map(|(_, name)| name).collect();
        match names[..] {
            [] => "no register here".into(),
            _ => format!("bytes of {}", names.join(", ")),
        }
    }
}

/// What a driver did to a [`Fake`](crate::platform::Fake): prints as a table, a line for each access. What is not exactly a register is a `?`, with a remark.
#[derive(Clone, PartialEq, Eq)]
pub struct Log(Vec<Row>);

#[derive(Clone, PartialEq, Eq)]
struct Row {
    mark: bool,
    cells: [String; COLUMNS],
}

const COLUMNS: usize = 8;
const TIME: usize = 1;
const TITLES: [&str; COLUMNS] = [
    "no.", "time", "access", "register", "offset", "bytes", "value", "remark",
];
/// Numbers stand to the right.
const RIGHT: [bool; COLUMNS] = [true, true, false, false, false, true, false, false];

impl Log {
    /// The accesses from number `first` on, and what of the script has not come.
    pub(super) fn new(
        names: &Names<'_>,
        accesses: &[Access],
        first: usize,
        script: &Running,
    ) -> Self {
        let mut rows = Vec::new();
        for (number, access) in accesses.iter().enumerate().skip(first) {
            let number = (number + 1).to_string();
            let mut remark = access.remark.clone();
            if names
                .name(access.offset, access.width, access.write)
                .is_none()
            {
                let point = if remark.is_empty() { "" } else { "; " };
                remark = format!("{remark}{point}{}", names.touched(access));
            }
            rows.push(Row::new(names, number, access, remark));
        }
        for (index, step) in script.steps.iter().enumerate().skip(script.next) {
            let remark = format!("step {}, did not come", index + 1);
            let mut row = Row::new(names, "-".into(), &step.access(), remark);
            row.mark = index == script.next && script.left.is_none();
            rows.push(row);
        }
        Log(rows)
    }

    /// How many accesses it tells of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the driver did nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Row {
    fn new(names: &Names<'_>, number: String, access: &Access, remark: String) -> Self {
        let name = names.name(access.offset, access.width, access.write);
        Row {
            mark: access.mark,
            cells: [
                number,
                access.at.map_or_else(String::new, |at| at.to_string()),
                (if access.write { "write" } else { "read" }).into(),
                name.unwrap_or_else(|| "?".into()),
                names.offset(access.offset),
                access.width.to_string(),
                names.value(access),
                remark,
            ],
        }
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = TITLES.map(str::len);
        for row in &self.0 {
            for (width, cell) in widths.iter_mut().zip(&row.cells) {
                *width = (*width).max(cell.len());
            }
        }
        let timed = self.0.iter().any(|row| !row.cells[TIME].is_empty());
        let marked = self.0.iter().any(|row| row.mark);
        let mut line = |mark: bool, cells: [&str; COLUMNS]| {
            let mut line = String::from(match (marked, mark) {
                (false, _) => "",
                (true, false) => "  ",
                (true, true) => "> ",
            });
            for (column, cell) in cells.into_iter().enumerate() {
                let width = widths[column];
                match column {
                    TIME if !timed => {}
                    _ if RIGHT[column] => line.push_str(&format!("{cell:>width$}  ")),
                    _ => line.push_str(&format!("{cell:<width$}  ")),
                }
            }
            writeln!(f, "{}", line.trim_end())
        };
        line(false, TITLES)?;
        for row in &self.0 {
            line(row.mark, row.cells.each_ref().map(String::as_str))?;
        }
        Ok(())
    }
}

/// The same: this is what `assert_eq!` prints.
impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

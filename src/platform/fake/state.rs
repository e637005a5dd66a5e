//! What the device's registers hold, what is known of them, and what becomes of an access.

use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

use core::mem;

use crate::mmio::Endian;
use crate::platform::fake::device::{Clock, OnRead, OnWrite};
use crate::platform::fake::fault::{Armed, Kind};
use crate::platform::fake::log::{Access, Log, Names};
use crate::platform::fake::map::{Map, Touched};
use crate::platform::fake::right::Right;
use crate::platform::fake::script::{Failed, Running, Step};
use crate::time::Instant;

pub(super) struct State {
    pub(super) bytes: Vec<u8>,
    maps: Vec<Map>,
    known: Vec<Known>,
    log: Vec<Access>,
    /// How often there was an access of an offset and a width, by reading or writing.
    counts: BTreeMap<(usize, usize, bool), usize>,
    /// So many accesses more, and it is gone.
    pub(super) gone_after: Option<usize>,
    script: Option<Running>,
    /// What `verify` has to tell besides the script's end, and how long the log was when it was asked last.
    failures: Vec<String>,
    told: usize,
    pub(super) clock: Option<Clock>,
}

/// Where a register is, and what it is.
#[derive(Clone)]
pub(super) struct Spot {
    pub(super) offset: usize,
    pub(super) width: usize,
    pub(super) name: String,
    pub(super) right: Right,
    pub(super) endian: Endian,
}

/// A register that the test has named, or the driver touched.
pub(super) struct Known {
    pub(super) spot: Spot,
    pub(super) on_read: Option<OnRead>,
    pub(super) on_write: Option<OnWrite>,
    pub(super) faults: Vec<Armed>,
}

/// What is to become of an access.
enum Course {
    /// What the register does.
    Free,
    /// The script's answer to a read.
    Scripted(u64),
    /// The device is not there: or as good as that, since the script was left.
    Nobody,
}

impl State {
    pub(super) fn new(size: usize) -> Self {
        State {
            bytes: vec![0; size],
            maps: Vec::new(),
            known: Vec::new(),
            log: Vec::new(),
            counts: BTreeMap::new(),
            gone_after: None,
            script: None,
            failures: Vec::new(),
            told: 0,
            clock: None,
        }
    }

    pub(super) fn add_map(&mut self, map: Map) {
        self.maps.push(map);
    }

    /// A read: its answer, or its number and the action that answers it.
    pub(super) fn begin_read(
        &mut self,
        at: Option<Instant>,
        offset: usize,
        width: usize,
    ) -> Result<u64, (usize, OnRead)> {
        let (number, course) = self.begin(at, offset, width, None);
        match course {
            Course::Scripted(value) => return Ok(self.answer(number, value)),
            Course::Nobody => return Ok(self.answer(number, ones(width))),
            Course::Free => {}
        }
        let held = self.held(offset, width);
        if let Some(known) = self.known(offset, width, false) {
            if let Some(action) = &known.on_read {
                return Err((number, action.clone()));
            }
            if known.spot.right == Right::ReadClears {
                self.hold(offset, width, 0);
            }
        }
        Ok(self.answer_with_faults(number, held))
    }

    /// A write: its number and the action that takes it, if there is one and it is not lost.
    pub(super) fn begin_write(
        &mut self,
        at: Option<Instant>,
        offset: usize,
        width: usize,
        value: u64,
    ) -> Option<(usize, OnWrite)> {
        let (number, course) = self.begin(at, offset, width, Some(value));
        if matches!(course, Course::Nobody) || self.is_lost(number) {
            return None;
        }
        let mut held = value;
        let before = self.held(offset, width);
        if let Some(known) = self.known(offset, width, true) {
            if let Some(action) = &known.on_write {
                return Some((number, action.clone()));
            }
            if known.spot.right == Right::WriteOneToClear {
                held = before & !value;
            }
        }
        self.hold(offset, width, held);
        None
    }

    /// Writes an access down, and says what is to become of it.
    fn begin(
        &mut self,
        at: Option<Instant>,
        offset: usize,
        width: usize,
        written: Option<u64>,
    ) -> (usize, Course) {
        self.meet(offset, width);
        let number = self.log.len();
        let mut access = Access::new(at, offset, width, written);
        *self
            .counts
            .entry((offset, width, access.write))
            .or_default() += 1;
        let gone = match &mut self.gone_after {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
        };
        let mut course = match &mut self.script {
            None => Course::Free,
            Some(script) if script.left.is_some() => {
                access.remark("the script was left");
                Course::Nobody
            }
            Some(script) => match script.take(&access) {
                Ok(answer) => {
                    access.remark(&format!("step {}", script.next));
                    answer.map_or(Course::Free, Course::Scripted)
                }
                Err(()) => {
                    script.left = Some(number);
                    access.mark = true;
                    access.remark(&script.instead());
                    Course::Nobody
                }
            },
        };
        if gone {
            access.remark("gone");
            course = Course::Nobody;
        }
        self.log.push(access);
        (number, course)
    }

    pub(super) fn answer(&mut self, number: usize, value: u64) -> u64 {
        let access = &mut self.log[number];
        let value = value & ones(access.width);
        access.value = Some(value);
        value
    }

    pub(super) fn answer_with_faults(&mut self, number: usize, value: u64) -> u64 {
        let (offset, width) = (self.log[number].offset, self.log[number].width);
        let mut found = value;
        for fault in self.hits(offset, width, false) {
            let remark;
            (found, remark) = match fault {
                Kind::ReadsOnes => (ones(width), "fault: reads ones"),
                Kind::StuckHigh(bits) => (found | bits, "fault: stuck high"),
                Kind::StuckLow(bits) => (found & !bits, "fault: stuck low"),
                // None of a read.
                Kind::LosesWrites => continue,
            };
            self.log[number].remark(remark);
        }
        self.answer(number, found)
    }

    /// Whether a fault loses a write.
    fn is_lost(&mut self, number: usize) -> bool {
        let (offset, width) = (self.log[number].offset, self.log[number].width);
        let lost = !self.hits(offset, width, true).is_empty();
        if lost {
            self.log[number].remark("fault: lost");
        }
        lost
    }

    /// The faults that an access has.
    fn hits(&mut self, offset: usize, width: usize, write: bool) -> Vec<Kind<u64>> {
        let Some(known) = self.known(offset, width, write) else {
            return Vec::new();
        };
        let faults = known.faults.iter_mut();
        faults.filter_map(|fault| fault.hits(write)).collect()
    }

    pub(super) fn panicked(&mut self, number: usize, panic: &str) {
        let names = Names::new(&self.known, &self.maps, self.bytes.len());
        let access = &mut self.log[number];
        access.mark = true;
        access.remark("its action panicked");
        let register = names.of(access.offset, access.width, access.write);
        let kind = if access.write { "write" } else { "read" };
        self.failures.push(format!(
            "access {}: the action on a {kind} of {register} panicked: {panic}",
            number + 1
        ));
    }

    pub(super) fn begin_script(&mut self) {
        if self.script.is_none() {
            // What has failed before is shown where it was.
            if self.failures.is_empty() {
                self.told = self.log.len();
            }
            self.script = Some(Running::default());
        }
    }

    pub(super) fn add_step(&mut self, step: Step) {
        if step.spot.name.is_empty() {
            self.meet(step.spot.offset, step.spot.width);
        } else {
            self.name(&step.spot);
        }
        // Verified in the midst of its own writing, it is no more.
        if let Some(script) = &mut self.script {
            script.steps.push(step);
        }
    }

    pub(super) fn verify(&mut self) -> Result<(), Failed> {
        let script = self.script.take().unwrap_or_default();
        let mut failures = mem::take(&mut self.failures);
        let first = mem::replace(&mut self.told, self.log.len());
        let names = self.names();
        failures.extend(script.failure(&self.log, &names));
        if failures.is_empty() {
            return Ok(());
        }
        let log = Log::new(&names, &self.log, first, &script);
        Err(Failed::new(&failures, &log))
    }

    pub(super) fn print(&self) -> Log {
        Log::new(&self.names(), &self.log, 0, &Running::default())
    }

    fn names(&self) -> Names<'_> {
        Names::new(&self.known, &self.maps, self.bytes.len())
    }

    /// How often there was such an access.
    pub(super) fn count(&self, spot: &Spot, write: bool) -> usize {
        let key = (spot.offset, spot.width, write);
        self.counts.get(&key).copied().unwrap_or(0)
    }

    /// The register that an access is one of, exactly. Of two in one place, the one that such an access is meant for.
    fn known(&mut self, offset: usize, width: usize, write: bool) -> Option<&mut Known> {
        find(&self.known, offset, width, write).map(|index| &mut self.known[index])
    }

    /// Remembers the registers that an access touches.
    fn meet(&mut self, offset: usize, width: usize) {
        let mut touched = Vec::new();
        for map in &self.maps {
            map.touched(&(offset..offset + width), &mut touched);
        }
        for touched in touched {
            if let Touched::Register(spot) = touched {
                self.name(&spot);
            }
        }
    }

    /// Remembers a register.
    pub(super) fn name(&mut self, spot: &Spot) -> &mut Known {
        let found = self.known.iter().position(|known| {
            (known.spot.offset, known.spot.width, &known.spot.name)
                == (spot.offset, spot.width, &spot.name)
        });
        let index = found.unwrap_or(self.known.len());
        if found.is_none() {
            self.known.push(Known {
                spot: spot.clone(),
                on_read: None,
                on_write: None,
                faults: Vec::new(),
            });
        }
        &mut self.known[index]
    }

    pub(super) fn held(&self, offset: usize, width: usize) -> u64 {
        let mut bytes = [0; 8];
        bytes[..width].copy_from_slice(&self.bytes[offset..offset + width]);
        u64::from_le_bytes(bytes)
    }

    pub(super) fn hold(&mut self, offset: usize, width: usize, value: u64) {
        let bytes = &value.to_le_bytes()[..width];
        self.bytes[offset..offset + width].copy_from_slice(bytes);
    }
}

/// See [`State::known`].
pub(super) fn find(known: &[Known], offset: usize, width: usize, write: bool) -> Option<usize> {
    let here = known.iter().enumerate();
    let mut here = here.filter(|(_, k)| (k.spot.offset, k.spot.width) == (offset, width));
    let meant = |(_, known): &(usize, &Known)| match known.spot.right {
        Right::WriteOnly => write,
        Right::ReadOnly | Right::ReadClears => !write,
        Right::ReadWrite | Right::WriteOneToClear => true,
    };
    let first = here.clone().next()?;
    Some(here.find(meant).unwrap_or(first).0)
}

pub(super) fn ones(width: usize) -> u64 {
    u64::MAX >> (64 - 8 * width)
}

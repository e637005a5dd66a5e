//! How much code a driver is: with a scope, by hand on the same platform, and as a task of embassy. `cargo xtask bench size`
//!
//! The programs are in `benches/size`, a package of its own.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::{fs, io};

use driver_scope_benches::cargo::{self, cargo};
use driver_scope_benches::machine;
use driver_scope_benches::progress::Progress;
use driver_scope_benches::report::{Records, Table, Value};
use driver_scope_benches::rivals::locked;
use object::{Object, ObjectSection, SectionFlags, SectionKind};

static LOCK: &str = include_str!("size/Cargo.lock");

/// A way to write a driver.
struct Way {
    name: &'static str,
    version: &'static str,
    /// The program without any driver.
    frame: &'static str,
    /// Those with one, two and four drivers.
    programs: [&'static str; 3],
}

const DRIVERS: [u32; 3] = [1, 2, 4];

fn ways() -> [Way; 3] {
    [
        Way {
            name: "driver-scope",
            version: "",
            frame: "frame",
            programs: ["scope-1", "scope-2", "scope-4"],
        },
        Way {
            name: "by hand, same platform",
            version: "",
            frame: "frame",
            programs: ["hand-1", "hand-2", "hand-4"],
        },
        Way {
            name: "embassy-executor, no removal",
            version: locked(LOCK, "embassy-executor"),
            frame: "frame-embassy",
            programs: ["embassy-1", "embassy-2", "embassy-4"],
        },
    ]
}

/// A driver of the scope's with two timers instead of one.
const TWO_TIMERS: &str = "scope-1-timers-2";

/// Cargo's profiles for the two levels of optimisation for size.
const LEVELS: [(&str, &str); 2] = [("z", "release"), ("s", "small")];

/// What is in a program, in bytes.
#[derive(Clone, Copy, Default)]
struct Sections {
    /// Code.
    text: u64,
    /// Constants.
    rodata: u64,
    /// Variables that begin with a value.
    data: u64,
    /// Those that begin with zero.
    bss: u64,
}

impl Sections {
    /// What lies in flash.
    fn flash(self) -> u64 {
        self.text + self.rodata + self.data
    }
}

fn main() -> ExitCode {
    let quick = std::env::args().any(|arg| arg == "--quick");
    machine::print();
    match measure(quick) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("size: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(quick: bool) -> io::Result<()> {
    let levels = if quick { &LEVELS[..1] } else { &LEVELS[..] };
    let ways = ways();
    let mut names: Vec<&str> = ways.iter().flat_map(|way| way.programs).collect();
    names.extend([TWO_TIMERS, ways[0].frame, ways[2].frame]);
    let mut progress = Progress::new("building programs", levels.len());
    let mut records = Records::default();
    for (level, profile) in levels {
        let target = cargo::folder().join("size");
        let mut build = cargo();
        build
            .args(["build", "--locked", "--profile", profile, "--manifest-path"])
            .arg(cargo::root().join("benches/size/Cargo.toml"))
            .arg("--target-dir")
            .arg(&target);
        cargo::timed(&mut build)?;
        progress.step();
        for name in &names {
            // It says itself whether it did what it should.
            let status = Command::new(target.join(profile).join(name)).status()?;
            if !status.success() {
                return Err(io::Error::other(format!("{name} at {level}: {status}")));
            }
        }
        println!(
            "{} programs at opt-level {level}: each has seen its drivers run, and end\n",
            names.len()
        );
        let of = |name: &str| sections(&target.join(profile).join(name));
        report(level, &ways, &of, &mut records)?;
    }
    records.write("size")
}

/// The sections of a program; without those for unwinding, which nothing here does, and without what is for a linker or a loader.
fn sections(path: &Path) -> io::Result<Sections> {
    let bytes = fs::read(path)?;
    let file = object::File::parse(&*bytes).map_err(io::Error::other)?;
    let mut all = Sections::default();
    for section in file.sections() {
        let name = section.name().map_err(io::Error::other)?;
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
            return Err(io::Error::other("no ELF file"));
        };
        let has = |flag: object::elf::SectionFlags| (sh_flags & flag).0 != 0;
        if [".eh_frame", ".note", ".relro_padding"]
            .iter()
            .any(|other| name.starts_with(other))
            || !has(object::elf::SHF_ALLOC)
        {
            continue;
        }
        let part = match section.kind() {
            SectionKind::UninitializedData | SectionKind::UninitializedTls => &mut all.bss,
            _ if has(object::elf::SHF_EXECINSTR) => &mut all.text,
            // Written by nobody: there is no loader that would move it.
            _ if has(object::elf::SHF_WRITE) && name != ".data.rel.ro" => &mut all.data,
            _ => &mut all.rodata,
        };
        *part += section.size();
    }
    Ok(all)
}

fn report(
    level: &str,
    ways: &[Way],
    of: &dyn Fn(&str) -> io::Result<Sections>,
    records: &mut Records,
) -> io::Result<()> {
    let mut table = Table::new(&[
        "program",
        "version",
        "drivers",
        ".text",
        ".rodata",
        ".data",
        ".bss",
        "in flash",
        "above the frame",
        "each further",
    ]);
    let mut told = Vec::new();
    for way in ways {
        let frame = of(way.frame)?;
        told.push((way.name, way.version, 0, frame, 0, None));
        let first = of(way.programs[0])?;
        for (program, drivers) in way.programs.iter().zip(DRIVERS) {
            let all = of(program)?;
            let further = (drivers > 1)
                .then(|| (all.flash() - first.flash()) as f64 / f64::from(drivers - 1));
            told.push((
                way.name,
                way.version,
                drivers,
                all,
                all.flash() - frame.flash(),
                further,
            ));
        }
    }
    for (name, version, drivers, all, above, further) in told {
        table.row(vec![
            name.to_owned(),
            version.to_owned(),
            drivers.to_string(),
            all.text.to_string(),
            all.rodata.to_string(),
            all.data.to_string(),
            all.bss.to_string(),
            all.flash().to_string(),
            above.to_string(),
            further.map_or("-".into(), |further| format!("{further:.0}")),
        ]);
        let bytes = |bytes: u64| Value::Number(bytes as f64);
        records.add(vec![
            ("name", Value::Text(name.to_owned())),
            ("version", Value::Text(version.to_owned())),
            ("ours", Value::Flag(name == ways[0].name)),
            ("level", Value::Text(level.to_owned())),
            ("drivers", Value::Number(f64::from(drivers))),
            ("text", bytes(all.text)),
            ("rodata", bytes(all.rodata)),
            ("data", bytes(all.data)),
            ("bss", bytes(all.bss)),
            ("above", bytes(above)),
            ("further", further.map_or(Value::Null, Value::Number)),
        ]);
    }
    table.print(&format!(
        "OPT-LEVEL {level}: bytes, x86-64, lto fat, panic = abort, without what is for unwinding. The frame is the program with no driver: the platform and its\n\
         timer queue, or the executor and its own. (The .data of our platform is the queue; the .bss is the memory that a scope may take.) A further driver is of\n\
         another type, so that the compiler makes its code anew. embassy's tasks end because they look whether they should; nothing removes them."
    ));
    let (one, two) = (of(ways[0].programs[0])?, of(TWO_TIMERS)?);
    let second = two.flash() - one.flash();
    println!("  a second timer in the same driver: {second} bytes\n");
    records.add(vec![
        ("name", Value::Text("second timer".into())),
        ("level", Value::Text(level.to_owned())),
        ("above", Value::Number(second as f64)),
    ]);
    Ok(())
}

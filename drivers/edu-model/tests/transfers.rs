//! Transfers of the model, through a driver's memory.

use std::sync::Arc;
use std::time::Duration;

use driver_scope::platform::{DmaSpace, Sim};
use driver_scope::{
    registers, Binding, Driver, DriverScope, Error, Mmio, PciDevice, Platform, Poll, Units,
};
use edu_model::{EduConfig, EduModel};

registers! {
    Edu: 0x100 {
        0x80 => rw SOURCE: u64,
        0x88 => rw DESTINATION: u64,
        0x90 => rw COUNT: u64,
        0x98 => rw COMMAND: u64,
    }
}

const BUFFER: u64 = 0x4_0000;
const RUN: u64 = 1;
const TO_MEMORY: u64 = 2;

/// What the probe does after it has started a transfer to memory.
#[derive(Clone, Copy)]
enum Fate {
    Bind,
    Fail,
}

struct Function {
    pci: PciDevice<Sim>,
    fate: Fate,
}

struct Copier;

struct Data<'drv> {
    regs: Mmio<'drv, Edu, Sim>,
}

impl Data<'_> {
    fn start(&self, source: u64, destination: u64, count: u64, command: u64) {
        self.regs.write(SOURCE, source);
        self.regs.write(DESTINATION, destination);
        self.regs.write(COUNT, count);
        self.regs.write(COMMAND, command | RUN);
    }

    fn wait(&self, how: Poll<'_, '_, Sim>) -> Result<(), Error> {
        self.regs.poll(COMMAND, how, |command| command & RUN == 0)?;
        Ok(())
    }
}

impl Driver<Sim> for Copier {
    type Device = Function;
    type Data<'drv> = Data<'drv>;
    type Error = Error;

    fn probe<'drv>(
        dev: &'drv Function,
        scope: &DriverScope<'drv, Sim>,
    ) -> Result<Data<'drv>, Error> {
        let regs = scope.map(dev.pci.bar(0)?)?;
        let dma = scope.dma(dev.pci.dma()?, 28)?;
        let bytes = scope.dma_bytes(dma, 8192)?;
        assert!(bytes.address() + 8192 <= 1 << 28);
        let data = Data { regs };
        let how = || Poll::sleeping(scope.platform(), scope.may_sleep(), 1.millis(), 1.secs());

        let sent: Vec<u8> = (0..4096_u32).map(|n| (n * 7) as u8).collect();
        bytes.copy_in(1, &sent)?;
        data.start(bytes.address() + 1, BUFFER, 4096, 0);
        data.wait(how())?;
        data.start(BUFFER, bytes.address() + 4096, 4096, TO_MEMORY);
        data.wait(how())?;
        let mut back = vec![0; 4096];
        bytes.copy_out(4096, &mut back)?;
        assert_eq!(back, sent);

        data.start(BUFFER, bytes.address(), 4096, TO_MEMORY);
        match dev.fate {
            Fate::Bind => Ok(data),
            Fate::Fail => Err(Error::NoDevice),
        }
    }
}

/// A driver is bound, or not, and gone while a transfer runs.
fn with_a_transfer_under_way(fate: Fate) {
    let sim = Sim::new();
    let clock = sim.clone();
    let space = DmaSpace::new();
    let config = EduConfig {
        transfer: Duration::from_millis(10),
        ..EduConfig::default()
    };
    let model = EduModel::new(move || clock.now().as_nanos(), config).with_dma(&space);
    let model = Arc::new(model);
    sim.may_sleep(|cx| {
        for round in 1..3 {
            let pci = model.pci_device().unwrap().with_dma(space.clone());
            let bind = Binding::<Copier, _>::bind(sim.clone(), Function { pci, fate }, cx);
            match bind {
                Ok(binding) => drop(binding),
                Err(failed) => assert_eq!(failed.error, Error::NoDevice),
            }
            assert_eq!(space.blocks(), 0);
            // The transfer goes on, and ends.
            sim.advance(1.secs());
            assert_eq!(model.read(0x98, 8), TO_MEMORY);
            let counts = model.transfers();
            assert_eq!((counts.made, counts.refused), (2 * round, round));
            assert_eq!(space.faults(), round);
        }
    });
}

#[test]
fn a_transfer_that_ends_after_the_remove_is_refused() {
    with_a_transfer_under_way(Fate::Bind);
}

#[test]
fn a_transfer_that_ends_after_a_failed_probe_is_refused() {
    with_a_transfer_under_way(Fate::Fail);
}

//! Transfers that come late: to where no driver has memory any more.

use driver_scope::platform::Platform;
use driver_scope::{enter, DriverScope, Error, MaySleep, Mmio, PciDevice, Units};
use edu::registers::{
    DmaCommand, EduRegs, DMA_BUFFER, DMA_COMMAND, DMA_COUNT, DMA_DESTINATION, DMA_SOURCE,
};
use linux_guest::config::{COMMAND, COMMAND_MASTER};
use linux_guest::job::PATIENCE;
use linux_guest::{Device, Report};

use crate::kernel_log::KernelLog;
use crate::Vfio;

/// How many address lines the device has.
const ADDRESS_BITS: u32 = 28;

/// How many bytes are moved.
const LEN: usize = 1024;

/// What memory is filled with that no transfer should reach.
const CANARY: u8 = 0xa5;

type Function = PciDevice<Vfio>;

/// Makes the checks, with no driver bound.
pub fn run(user: &Vfio, function: &Function, device: &Device, report: &mut Report) {
    user.may_sleep(|cx| {
        report.check("quiet", is_quiet(device));
        // The same transfer twice: with memory where it goes to, and when that is there no more.
        let fault = both_ways(user, function, cx).and_then(|old| {
            let log = KernelLog::from_now().map_err(|error| error.to_string())?;
            late(user, function, old, log, cx)
        });
        if let Ok(fault) = &fault {
            report.info(&format!("the kernel: {fault}"));
        }
        report.check("late-transfer", fault.map(drop));
        report.check("remove-in-transfer", in_transfer(user, function, cx));
        report.check("quiet-again", is_quiet(device));
    });
}

/// Through the device's own buffer and back. Says where the driver's memory was.
fn both_ways(user: &Vfio, function: &Function, cx: MaySleep<'_>) -> Result<u64, String> {
    enter(user.clone(), cx, function, |function, scope| {
        let regs = scope.map::<EduRegs>(function.bar(0)?)?;
        let dma = scope.dma(function.dma()?, ADDRESS_BITS)?;
        let memory = scope.dma_bytes(dma, 2 * LEN)?;
        let pattern: Vec<u8> = (0..LEN).map(|n| (n * 7 + n / 256) as u8).collect();
        memory.copy_in(0, &pattern)?;

        let second = memory.part(LEN, LEN)?;
        transfer(scope, regs, memory.address(), DMA_BUFFER.into(), OUT)?;
        transfer(scope, regs, DMA_BUFFER.into(), second.address(), IN)?;
        let mut back = vec![0; LEN];
        second.copy_out(0, &mut back)?;
        Ok((memory.address(), back == pattern))
    })
    .map_err(|error: Error| error.to_string())
    .and_then(|(address, same)| match same {
        true => Ok(address),
        false => Err("not what was sent".into()),
    })
}

/// A driver makes the device write to where the one before had its memory. Nothing is changed by it; the kernel tells of a fault.
fn late(
    user: &Vfio,
    function: &Function,
    old: u64,
    mut log: KernelLog,
    cx: MaySleep<'_>,
) -> Result<String, String> {
    let intact = enter(user.clone(), cx, function, |function, scope| {
        let regs = scope.map::<EduRegs>(function.bar(0)?)?;
        let dma = scope.dma(function.dma()?, ADDRESS_BITS)?;
        let memory = scope.dma_bytes(dma, 4 * LEN)?;
        memory.copy_in(0, &[CANARY; 4 * LEN])?;
        transfer(scope, regs, DMA_BUFFER.into(), old, IN)?;
        let mut now = vec![0; 4 * LEN];
        memory.copy_out(0, &mut now)?;
        Ok(memory.address() != old && now == [CANARY; 4 * LEN])
    })
    .map_err(|error: Error| error.to_string())?;
    if !intact {
        return Err("memory of the driver was written to".into());
    }
    let fault = format!("fault addr {old:#x} ");
    let end = user.now().saturating_add(PATIENCE);
    while user.now() < end {
        match log.next().map_err(|error| error.to_string())? {
            Some(record) if record.contains("DMAR") && record.contains(&fault) => {
                // The kernel has it on the console as soon as others run.
                user.sleep(cx, 20.millis());
                let text = record.split_once(';').map_or(&*record, |(_, text)| text);
                return Ok(text.trim_end().to_owned());
            }
            Some(_) => {}
            None => user.sleep(cx, 1.millis()),
        }
    }
    Err(format!("the kernel tells of no fault at {old:#x}"))
}

/// The scope ends while the device has a transfer to its memory under way; another begins at once, in whose memory nothing changes.
fn in_transfer(user: &Vfio, function: &Function, cx: MaySleep<'_>) -> Result<(), String> {
    let begun = enter(user.clone(), cx, function, |function, scope| {
        let regs = scope.map::<EduRegs>(function.bar(0)?)?;
        let dma = scope.dma(function.dma()?, ADDRESS_BITS)?;
        let memory = scope.dma_bytes(dma, LEN)?;
        begin(regs, DMA_BUFFER.into(), memory.address(), IN);
        Ok(())
    });
    begun.map_err(|error: Error| error.to_string())?;
    let intact = enter(user.clone(), cx, function, |function, scope| {
        let regs = scope.map::<EduRegs>(function.bar(0)?)?;
        let dma = scope.dma(function.dma()?, ADDRESS_BITS)?;
        let memory = scope.dma_bytes(dma, 4 * LEN)?;
        memory.copy_in(0, &[CANARY; 4 * LEN])?;
        end(scope, regs)?;
        // If it was a fault the kernel tells of it, on the console on which lines of ours are going to be.
        scope.sleep(50.millis());
        let mut now = vec![0; 4 * LEN];
        memory.copy_out(0, &mut now)?;
        Ok(now == [CANARY; 4 * LEN])
    });
    match intact.map_err(|error: Error| error.to_string())? {
        true => Ok(()),
        false => Err("memory of the next driver was written to".into()),
    }
}

/// Whether the device is kept from the bus, as the kernel sees it.
fn is_quiet(device: &Device) -> Result<(), String> {
    let command = device.config()?.read(COMMAND);
    let command = command.map_err(|error| error.to_string())?;
    if command & COMMAND_MASTER == 0 {
        Ok(())
    } else {
        Err(format!("it is a bus master: {command:#06x}"))
    }
}

/// Out of memory, into the device.
const OUT: DmaCommand = DmaCommand::empty();
/// Into memory.
const IN: DmaCommand = DmaCommand::TO_MEMORY;

type Regs<'drv> = Mmio<'drv, EduRegs, Vfio>;

fn transfer(
    scope: &DriverScope<'_, Vfio>,
    regs: Regs<'_>,
    source: u64,
    destination: u64,
    direction: DmaCommand,
) -> Result<(), Error> {
    begin(regs, source, destination, direction);
    end(scope, regs)
}

fn begin(regs: Regs<'_>, source: u64, destination: u64, direction: DmaCommand) {
    // All addresses have 28 bits.
    regs.write(DMA_SOURCE, source as u32);
    regs.write(DMA_DESTINATION, destination as u32);
    regs.write(DMA_COUNT, LEN as u32);
    regs.write(DMA_COMMAND, DmaCommand::START | direction);
}

fn end(scope: &DriverScope<'_, Vfio>, regs: Regs<'_>) -> Result<(), Error> {
    let end = scope.platform().now().saturating_add(PATIENCE);
    while regs.read(DMA_COMMAND).contains(DmaCommand::START) {
        if scope.platform().now() > end {
            return Err(Error::TimedOut);
        }
        scope.sleep(1.millis());
    }
    Ok(())
}

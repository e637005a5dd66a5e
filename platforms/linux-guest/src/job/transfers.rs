//! Transfers by the driver, where the device has a way to memory; that it does without, where it has none.

use driver_scope::platform::HostDma;
use driver_scope::MaySleep;
use edu::{Direction, Error};

use super::{until, Bound};
use crate::Report;

/// How many bytes are moved: no whole number of words.
const LEN: usize = 1001;

/// Makes the check by the name of what it can be: `transfers`, or `no-dma`. Which it has to be the judge knows.
pub fn check<D: HostDma>(bound: &Bound<D>, cx: MaySleep<'_>, report: &mut Report) {
    match bound.device().dma() {
        Ok(_) => report.check("transfers", there_and_back(bound, cx)),
        Err(_) => report.check("no-dma", is_refused(bound)),
    }
}

/// Into the device's buffer, and out of it again; both by interrupt.
fn there_and_back<D: HostDma>(bound: &Bound<D>, cx: MaySleep<'_>) -> Result<(), String> {
    let sent: Vec<u8> = (0..LEN).map(|n| (n * 7 + n / 256) as u8).collect();
    bound.with(|edu| edu.send(8, &sent)).map_err(told)?;
    done(bound, Direction::ToDevice, cx)?;
    bound.with(|edu| edu.receive(8, LEN)).map_err(told)?;
    done(bound, Direction::FromDevice, cx)?;
    let mut received = vec![0; LEN];
    let len = bound
        .with(|edu| edu.received(&mut received))
        .map_err(told)?;
    if len == LEN && received == sent {
        Ok(())
    } else {
        Err("not what was sent".into())
    }
}

fn done<D: HostDma>(
    bound: &Bound<D>,
    direction: Direction,
    cx: MaySleep<'_>,
) -> Result<(), String> {
    until(bound, cx, || !bound.with(|edu| edu.is_transferring()))?;
    match bound.with(|edu| edu.last_transfer()) {
        Some(Ok(done)) if (done.direction, done.len) == (direction, LEN) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn is_refused<D: HostDma>(bound: &Bound<D>) -> Result<(), String> {
    match bound.with(|edu| edu.send(0, &[1])) {
        Err(Error::NoDma) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn told(error: Error) -> String {
    error.to_string()
}

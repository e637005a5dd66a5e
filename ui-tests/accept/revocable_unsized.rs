// What is revoked may be unsized: a trait object, a slice, behind a reference or an `Arc`.
#![forbid(unsafe_code)]

use std::fmt::Display;
use std::sync::Arc;

use driver_scope::platform::{Platform, Sim};
use driver_scope::{Error, Revocable};

fn show<P: Platform>(shown: &Revocable<dyn Display + '_, P>) -> Option<String> {
    shown.try_access_with(|shown| shown.to_string())
}

fn sum<P: Platform>(bytes: &Revocable<[u8], P>) -> Option<u8> {
    Some(bytes.try_access()?.iter().sum())
}

fn main() -> Result<(), Error> {
    let sim = Sim::new();
    let text = String::from("borrowed");
    let shown = Revocable::new(sim.clone(), text.as_str());
    assert_eq!(show::<Sim>(&shown).as_deref(), Some("borrowed"));

    let bytes: Arc<Revocable<[u8], Sim>> = Arc::new(Revocable::new(sim.clone(), [1, 2, 3]));
    let there = Arc::clone(&bytes);
    let thread = std::thread::spawn(move || sum(&there));
    assert_eq!(thread.join().unwrap(), Some(6));

    let any: Arc<Revocable<dyn Display + Send + Sync, Sim>> =
        Arc::new(Revocable::new(sim.clone(), 7));
    let seven = any.try_access().map(|seven| seven.to_string());
    assert_eq!(seven.as_deref(), Some("7"));
    sim.may_sleep(|cx| {
        assert!(bytes.revoke(cx)?);
        assert!(any.revoke(cx)?);
        assert!(!any.revoke(cx)?);
        Ok::<(), Error>(())
    })?;
    assert!(any.try_access().is_none());
    assert_eq!(sum(&bytes), None);
    Ok(())
}

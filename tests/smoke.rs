//! Smoke.
use driver_scope::platform::{Host, Sim};
use driver_scope::*;
#[test]
fn smoke() {
    let sim = Sim::with_log();
    let s2 = sim.clone();
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &(), |_, scope| {
            let n = scope.own(std::sync::atomic::AtomicU32::new(0))?;
            let t = scope.named("tick").hrtimer(move |t| {
                n.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                t.forward(10.millis())
            })?;
            t.start(10.millis())?;
            s2.advance(100.millis());
            assert_eq!(n.load(std::sync::atomic::Ordering::Relaxed), 10);
            scope.on_remove(|_| panic!("x"))?;
            Ok::<(), Error>(())
        })
    })
    .unwrap();
    println!("{}", sim.log().join("\n"));
    let host = Host::new().unwrap();
    host.may_sleep(|cx| {
        enter(host.clone(), cx, &(), |_, scope| {
            let n = scope.own(std::sync::atomic::AtomicU32::new(0)).unwrap();
            let t = scope
                .hrtimer(move |t| {
                    n.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    t.forward(1.millis())
                })
                .unwrap();
            t.start(1.millis()).unwrap();
            scope.sleep(50.millis());
            println!("{}", n.load(std::sync::atomic::Ordering::Relaxed));
        })
    });
}

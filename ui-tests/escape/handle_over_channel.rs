// Wrong: a handle is sent to somebody who receives it after the scope has ended.
// Instead: send what the handle is to be used for, and use it inside the scope.
use std::sync::mpsc;

use driver_scope::{enter, platform::Sim, Restart};

fn main() {
    let (sender, receiver) = mpsc::channel();
    Sim::new().may_sleep(|cx| {
        enter(Sim::new(), cx, &sender, |sender, scope| {
            let timer = scope.hrtimer(|_| Restart::No).unwrap();
            sender.send(timer).unwrap();
        });
    });
    let _ = receiver.recv();
}

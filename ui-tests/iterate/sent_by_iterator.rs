// Wrong: each handle of a list is sent to a receiver that is drained when the scope has ended.
// Instead: send what was found out with them.
// Refused: returning this value requires that `'1` must outlive `'2`
use std::sync::mpsc::channel;

use driver_scope::{enter, platform::Sim, Restart};

fn main() {
    Sim::new().may_sleep(|cx| {
        let (sender, receiver) = channel();
        enter(Sim::new(), cx, &(), |_, scope| {
            (0..3)
                .flat_map(|_| scope.work(|_| Restart::No))
                .for_each(|work| {
                    let _ = sender.send(work);
                });
        });
        assert!(receiver.iter().all(|work| work.is_pending()));
    });
}

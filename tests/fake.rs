//! `Fake`: each thing that it does for a test, and what it prints when the driver does otherwise.

mod common;

#[path = "fake/script.rs"]
mod script;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Barrier};
use std::thread;

use driver_scope::mmio::Extent;
use driver_scope::platform::fake::Fault;
use driver_scope::platform::{Fake, Sim};
use driver_scope::{enter, registers, Error, Mmio, Platform, Restart, Units};

registers! {
    /// A device with a register of each kind.
    Device: 0x80 {
        0x00 => ro ID: u32,
        0x04 => rw CONTROL: u32,
        0x08 => ro STATUS: u16 where !0 is gone,
        0x0a => w1c CAUSES: u8,
        0x0b => rc ERRORS: u8,
        // One place, two registers.
        0x0c => ro RECEIVED: u8,
        0x0c => wo SENT: u8,
        0x10 => rw LEVEL: [u32; 4; stride 4],
        0x20 => block CHANNEL: [Channel; 2; stride 0x10],
        0x40 => memory BUFFER: [u8; 0x40],
    }

    /// One with holes.
    Sparse: 0x40 {
        0x00 => rw PAIR: [u16; 2; stride 8],
        // Where a third would be.
        0x10 => rw NEXT: u16,
        0x20 => memory LOOSE: [u8; 0x16],
    }

    /// A part of it that is big-endian.
    Channel: 0x10 big endian {
        0x00 => rw ADDRESS: u32,
        0x04 => wo LENGTH: u16,
        0x06 => w1c DONE: u16,
    }
}

/// Maps the fake, and does something with it as a driver would.
fn drive<R: Extent + ?Sized, T>(
    fake: &Fake<R>,
    f: impl for<'drv> FnOnce(Mmio<'drv, R, Sim>) -> T,
) -> T {
    let sim = Sim::new();
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &fake.region(), |region, scope| {
            f(scope.map(region).unwrap())
        })
    })
}

/// What it panics with.
fn panic_of(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
    payload.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn a_register_holds_what_is_written_and_zero_at_first() {
    let fake = Fake::<Device>::new();
    drive(&fake, |regs| {
        assert_eq!(regs.read(CONTROL), 0);
        regs.write(CONTROL, 0x1234_5678);
        assert_eq!(regs.read(CONTROL), 0x1234_5678);
        assert_eq!((regs.read(ID), regs.read(STATUS)), (0, 0));
        fake.set(ID, 7);
        assert_eq!(regs.read(ID), 7);
    });
    assert_eq!(fake.get(CONTROL), 0x1234_5678);
    assert_eq!((fake.reads(CONTROL), fake.writes(CONTROL)), (2, 1));
    assert_eq!((fake.reads(ID), fake.writes(ID)), (2, 0));
}

#[test]
fn a_register_does_what_its_right_says() {
    let fake = Fake::<Device>::new();
    fake.set(CAUSES, 0b1110);
    fake.set(ERRORS, 3);
    drive(&fake, |regs| {
        regs.block(CHANNEL.nth::<0>()).clear(DONE, 3);
        assert_eq!(regs.block(CHANNEL.nth::<0>()).read(DONE), 0);
        regs.clear(CAUSES, 0b0111);
        assert_eq!(regs.read(CAUSES), 0b1000);
        assert_eq!((regs.take(ERRORS), regs.take(ERRORS)), (3, 0));
    });
}

#[test]
fn of_two_registers_in_one_place_each_has_its_own_action() {
    let fake = Fake::<Device>::new();
    fake.on_read(RECEIVED, |_| b'r');
    fake.on_write(SENT, |regs, byte| regs.set(LEVEL.nth::<0>(), byte.into()));
    drive(&fake, |regs| {
        regs.write(SENT, b's');
        assert_eq!(regs.read(RECEIVED), b'r');
    });
    assert_eq!(fake.get(LEVEL.nth::<0>()), b's'.into());
    assert!(!fake.log().is_empty() && Fake::<Device>::new().log().is_empty());
    assert_eq!(
        fake.log().to_string(),
        "\
no.  access  register  offset  bytes  value  remark
  1  write   SENT      0x0c        1  0x73
  2  read    RECEIVED  0x0c        1  0x72
"
    );
}

#[test]
fn actions_answer_reads_and_take_writes() {
    let fake = Fake::<Device>::new();
    fake.set(STATUS, 0x55);
    fake.on_read(STATUS, |regs| regs.reads(STATUS) as u16);
    fake.on_write(CONTROL, |regs, value| regs.set(CONTROL, !value));
    drive(&fake, |regs| {
        assert_eq!((regs.read(STATUS), regs.read(STATUS)), (1, 2));
        regs.write(CONTROL, 1);
        assert_eq!(regs.read(CONTROL), !1);
        // In place of the earlier one; this one keeps nothing.
        fake.on_write(CONTROL, |_, _| {});
        regs.write(CONTROL, 2);
        assert_eq!(regs.read(CONTROL), !1);
    });
    // The answer of an action is not what is held.
    assert_eq!(fake.get(STATUS), 0x55);
}

#[test]
fn an_action_uses_the_fake_that_it_is_lent_without_calling_another() {
    let fake = Fake::<Device>::new();
    fake.on_write(CONTROL, |regs, _| {
        // None of this is an access of the driver.
        regs.set(STATUS, regs.get(STATUS) + 1);
        regs.on_read(ID, |regs| regs.get(ID) + 1);
        assert_eq!(regs.log().len(), regs.writes(CONTROL));
    });
    fake.on_read(STATUS, |_| panic!("`get` is no read"));
    drive(&fake, |regs| {
        regs.write(CONTROL, 0);
        regs.write(CONTROL, 0);
        assert_eq!(regs.read(ID), 1);
    });
    assert_eq!(fake.get(STATUS), 2);
    fake.verify().unwrap();
}

#[test]
fn an_action_runs_beside_itself_and_others_wait_for_neither() {
    let fake = Fake::<Device>::new();
    let (inside, other) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(3)));
    fake.on_read(STATUS, {
        let (inside, other) = (inside.clone(), other.clone());
        move |regs| {
            inside.wait();
            // Both are inside, and stay there until another register has been read.
            other.wait();
            regs.get(STATUS)
        }
    });
    drive(&fake, |regs| {
        thread::scope(|threads| {
            threads.spawn(|| regs.read(STATUS));
            threads.spawn(|| regs.read(STATUS));
            assert_eq!(regs.read(CONTROL), 0);
            other.wait();
        });
    });
    assert_eq!(fake.log().len(), 3);
}

#[test]
fn what_a_replaced_action_captured_is_dropped_with_no_lock_held() {
    struct Looks(Fake<Device>);
    impl Drop for Looks {
        fn drop(&mut self) {
            self.0.set(STATUS, self.0.get(STATUS) + 1);
        }
    }
    let fake = Fake::<Device>::new();
    let looks = || Looks(fake.clone());
    let (one, two) = (looks(), looks());
    fake.on_read(CONTROL, move |_| one.0.get(ID));
    fake.on_write(CONTROL, move |_, value| two.0.set(ID, value));
    fake.on_read(CONTROL, |_| 0);
    fake.on_write(CONTROL, |_, _| {});
    assert_eq!(fake.get(STATUS), 2);

    // And one that replaces itself.
    let three = looks();
    fake.on_read(CONTROL, move |regs| {
        regs.on_read(CONTROL, |_| 9);
        three.0.get(ID)
    });
    drive(&fake, |regs| {
        assert_eq!((regs.read(CONTROL), regs.read(CONTROL)), (0, 9));
    });
    assert_eq!(fake.get(STATUS), 3);
}

#[test]
fn blocks_in_the_device_have_names_of_their_own_and_their_order_of_bytes() {
    let fake = Fake::<Device>::new();
    let second = fake.block(CHANNEL.nth::<1>());
    second.set(ADDRESS, 0x0102_0304);
    second.on_write(LENGTH, |regs, length| regs.set(ADDRESS, length.into()));
    second.fault(ADDRESS, Fault::stuck_high(0x8000_0000).after(1));
    drive(&fake, |regs| {
        let channel = regs.block(CHANNEL.nth::<1>());
        assert_eq!(channel.read(ADDRESS), 0x0102_0304);
        channel.write(LENGTH, 0x0506);
        assert_eq!(channel.read(ADDRESS), 0x8000_0506);
        regs.write(LEVEL.at(3).unwrap(), 1);
        // One that the test has not named.
        regs.block(CHANNEL.nth::<0>()).write(LENGTH, 0x0506);
    });
    assert_eq!(fake.get(LEVEL.nth::<3>()), 1);
    assert_eq!(fake.block(CHANNEL.nth::<0>()).get(ADDRESS), 0);
    assert_eq!(
        fake.log().to_string(),
        "\
no.  access  register            offset  bytes  value       remark
  1  read    CHANNEL[1].ADDRESS  0x30        4  0x01020304
  2  write   CHANNEL[1].LENGTH   0x34        2  0x0506
  3  read    CHANNEL[1].ADDRESS  0x30        4  0x80000506  fault: stuck high
  4  write   LEVEL[3]            0x1c        4  0x00000001
  5  write   CHANNEL[0].LENGTH   0x24        2  0x0506
"
    );
}

#[test]
fn memory_in_the_device_is_bytes() {
    let fake = Fake::<Device>::new();
    let buffer = fake.memory(BUFFER);
    buffer.set_bytes(1, &[1, 2, 3]);
    drive(&fake, |regs| {
        let buffer = regs.memory(BUFFER);
        let mut read = [0; 5];
        buffer.read_bytes(0, &mut read).unwrap();
        assert_eq!(read, [0, 1, 2, 3, 0]);
        buffer.write_bytes(0x3c, &[9; 4]).unwrap();
    });
    assert_eq!(buffer.bytes(0x3b, 5), [0, 9, 9, 9, 9]);
    let beyond = panic_of(|| drop(buffer.bytes(0x3c, 5)));
    assert_eq!(
        beyond,
        "0x5 bytes at offset 0x3c lie outside a fake of 0x40 bytes"
    );
}

#[test]
fn accesses_at_run_time_offsets_meet_the_registers_or_their_bytes() {
    let fake = Fake::<[u8]>::of_size(0x1000);
    let device = fake.block_at::<Device>(0x800, "");
    let other = fake.block_at::<Channel>(0x900, "OTHER");
    device.on_read(CONTROL, |regs| regs.get(ID) + 1);
    device.set(ID, 0x0403_0201);
    other.set(ADDRESS, 0x0102_0304);
    drive(&fake, |bar| {
        // Exactly a register.
        assert_eq!(bar.try_read::<u32>(0x804), Ok(0x0403_0202));
        assert_eq!(
            bar.block_at::<Device>(0x800).unwrap().read(CONTROL),
            0x0403_0202
        );
        // As the bus carries it: the device has the most significant byte first.
        assert_eq!(bar.try_read::<u32>(0x900), Ok(0x0403_0201));
        // Part of one, two at once, and none.
        assert_eq!(bar.try_read::<u16>(0x802), Ok(0x0403));
        assert_eq!(bar.try_read::<u64>(0x800), Ok(0x0403_0201));
        bar.try_write::<u8>(0x10, 0xff).unwrap();
    });
    assert_eq!(fake.bytes(0x10, 2), [0xff, 0]);
    assert_eq!(
        fake.log().to_string(),
        "\
no.  access  register       offset  bytes  value               remark
  1  read    CONTROL        0x804       4  0x04030202
  2  read    CONTROL        0x804       4  0x04030202
  3  read    OTHER.ADDRESS  0x900       4  0x01020304
  4  read    ?              0x802       2  0x0403              bytes of ID
  5  read    ?              0x800       8  0x0000000004030201  bytes of ID, CONTROL
  6  write   ?              0x010       1  0xff                no register here
"
    );
    let beyond = panic_of(|| drop(fake.block_at::<Device>(0xf81, "")));
    assert_eq!(
        beyond,
        "0x80 bytes at offset 0xf81 lie outside a fake of 0x1000 bytes"
    );
}

#[test]
fn an_access_is_told_by_its_place_alone() {
    let fake = Fake::<[u8]>::of_size(0x100);
    drop(fake.block_at::<Sparse>(0x80, ""));
    drive(&fake, |bar| {
        for offset in [0x88, 0x90, 0x82, 0x8e] {
            bar.try_read::<u16>(offset).unwrap();
        }
        bar.try_read::<u32>(0x80).unwrap();
        bar.try_read::<u16>(0x82).unwrap();
        // Only what lies in the memory with all its bytes is in it.
        bar.try_read::<u64>(0xa0).unwrap();
        bar.try_read::<u32>(0xb4).unwrap();
        bar.try_read::<u8>(0xb5).unwrap();
        bar.try_write::<u8>(0xa3, 1).unwrap();
    });
    assert_eq!(
        fake.log().to_string(),
        "\
no.  access  register     offset  bytes  value               remark
  1  read    PAIR[1]      0x88        2  0x0000
  2  read    NEXT         0x90        2  0x0000
  3  read    ?            0x82        2  0x0000              no register here
  4  read    ?            0x8e        2  0x0000              no register here
  5  read    ?            0x80        4  0x00000000          bytes of PAIR[0]
  6  read    ?            0x82        2  0x0000              no register here
  7  read    LOOSE[0x0]   0xa0        8  0x0000000000000000
  8  read    ?            0xb4        4  0x00000000          no register here
  9  read    LOOSE[0x15]  0xb5        1  0x00
 10  write   LOOSE[0x3]   0xa3        1  0x01
"
    );
}

#[test]
fn the_log_tells_the_time_if_there_is_a_clock() {
    let sim = Sim::new();
    let fake = Fake::<Device>::new();
    fake.clock(&sim);
    sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &fake.region(), |region, scope| {
            let regs = scope.map::<Device>(region)?;
            let timer = scope.hrtimer(move |t| {
                regs.modify(CONTROL, |n| n + 1);
                t.forward(1.millis())
            })?;
            timer.start(1.millis())?;
            sim.advance(2.millis());
            Ok::<(), Error>(())
        })
    })
    .unwrap();
    assert_eq!(fake.get(CONTROL), 2);
    assert_eq!(
        fake.log().to_string(),
        "\
no.         time  access  register  offset  bytes  value       remark
  1  0.001000000  read    CONTROL   0x04        4  0x00000000
  2  0.001000000  write   CONTROL   0x04        4  0x00000001
  3  0.002000000  read    CONTROL   0x04        4  0x00000001
  4  0.002000000  write   CONTROL   0x04        4  0x00000002
"
    );
}

#[test]
fn faults_are_had_when_they_are_to_be() {
    let fake = Fake::<Device>::new();
    fake.set(STATUS, 0x0f0f);
    fake.fault(STATUS, Fault::reads_ones().after(1).times(1));
    fake.fault(STATUS, Fault::stuck_low(0x0001).after(2));
    // One of its bits is set anyway.
    fake.fault(STATUS, Fault::stuck_high(0x8002).after(3).times(1));
    fake.fault(CONTROL, Fault::loses_writes().after(1).times(1));
    fake.on_write(CONTROL, |regs, value| {
        regs.set(CONTROL, regs.get(CONTROL) + value)
    });
    drive(&fake, |regs| {
        let read: Vec<u16> = (0..5).map(|_| regs.read(STATUS)).collect();
        assert_eq!(read, [0x0f0f, 0xffff, 0x0f0e, 0x8f0e, 0x0f0e]);
        for value in [1, 10, 100] {
            regs.write(CONTROL, value);
        }
        assert_eq!(regs.read(CONTROL), 101);
    });
    assert_eq!(
        fake.log().to_string(),
        "\
no.  access  register  offset  bytes  value       remark
  1  read    STATUS    0x08        2  0x0f0f
  2  read    STATUS    0x08        2  0xffff      fault: reads ones
  3  read    STATUS    0x08        2  0x0f0e      fault: stuck low
  4  read    STATUS    0x08        2  0x8f0e      fault: stuck low; fault: stuck high
  5  read    STATUS    0x08        2  0x0f0e      fault: stuck low
  6  write   CONTROL   0x04        4  0x00000001
  7  write   CONTROL   0x04        4  0x0000000a  fault: lost
  8  write   CONTROL   0x04        4  0x00000064
  9  read    CONTROL   0x04        4  0x00000065
"
    );
}

#[test]
fn a_device_that_was_pulled_out_reads_as_ones_and_takes_nothing() {
    let fake = Fake::<Device>::new();
    fake.set(ID, 7);
    fake.on_read(STATUS, |_| panic!("nobody is there"));
    fake.on_write(CONTROL, |_, _| panic!("nobody is there"));
    fake.remove_after(2);
    drive(&fake, |regs| {
        assert_eq!((regs.read(ID), regs.read(ID)), (7, 7));
        assert_eq!(regs.read(ID), u32::MAX);
        assert_eq!(regs.read_or_gone(STATUS), Err(Error::Gone));
        regs.write(CONTROL, 5);
    });
    assert_eq!((fake.get(ID), fake.get(CONTROL)), (7, 0));
    fake.verify().unwrap();
    assert_eq!(
        fake.log().to_string(),
        "\
no.  access  register  offset  bytes  value       remark
  1  read    ID        0x00        4  0x00000007
  2  read    ID        0x00        4  0x00000007
  3  read    ID        0x00        4  0xffffffff  gone
  4  read    STATUS    0x08        2  0xffff      gone
  5  write   CONTROL   0x04        4  0x00000005  gone
"
    );

    let fake = Fake::<Device>::new();
    fake.remove();
    assert_eq!(drive(&fake, |regs| regs.read(ID)), u32::MAX);
}

#[test]
fn the_device_outlives_its_handles_and_an_action_is_no_handle() {
    let region = {
        let fake = Fake::<Device>::new();
        fake.on_read(ID, |regs| {
            regs.clone().block(CHANNEL.nth::<0>()).get(ADDRESS)
        });
        fake.block(CHANNEL.nth::<0>()).set(ADDRESS, 6);
        fake.region()
    };
    let sim = Sim::new();
    let id = sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &region, |region, scope| {
            scope.map::<Device>(region).unwrap().read(ID)
        })
    });
    assert_eq!(id, 6);
}

#[test]
fn a_fake_can_be_used_by_any_thread() {
    fn any_thread<T: Send + Sync>() {}
    any_thread::<Fake<Device>>();
    any_thread::<Fake<[u8]>>();
}

#[test]
fn all_handles_have_one_region() {
    let fake = Fake::<Device>::new();
    drive(&fake, |_| {
        let again = Sim::new().may_sleep(|cx| {
            enter(Sim::new(), cx, &fake.clone().region(), |region, scope| {
                scope.map::<Device>(region).map(drop)
            })
        });
        assert_eq!(again, Err(Error::AlreadyMapped));
    });
}

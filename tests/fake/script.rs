//! What a driver is expected to do, and what is told when it does otherwise.

use super::*;

#[test]
fn a_driver_that_keeps_to_the_script_gets_its_answers() {
    let fake = Fake::<Device>::new();
    fake.set(CONTROL, 3);
    fake.on_read(LEVEL.nth::<1>(), |_| 44);
    fake.on_write(LEVEL.nth::<2>(), |regs, value| regs.set(ID, value));
    let channel = fake.block(CHANNEL.nth::<0>());
    drive(&fake, |regs| {
        // What was done before is no business of the script.
        regs.write(CONTROL, 4);
        fake.expect()
            .read(STATUS, 1)
            .read(STATUS, 2)
            .read_held(CONTROL)
            .read_held(LEVEL.nth::<1>())
            .write(LEVEL.nth::<2>(), 6)
            .write_any(CONTROL);
        channel.expect().write(ADDRESS, 0x0102_0304);
        fake.memory(BUFFER)
            .expect()
            .write_at(2, 7u16)
            .read_at(0, 8u8);

        assert_eq!((regs.read(STATUS), regs.read(STATUS)), (1, 2));
        assert_eq!(regs.read(CONTROL), 4);
        assert_eq!(regs.read(LEVEL.nth::<1>()), 44);
        regs.write(LEVEL.nth::<2>(), 6);
        regs.write(CONTROL, 5);
        regs.block(CHANNEL.nth::<0>()).write(ADDRESS, 0x0102_0304);
        let buffer = regs.memory(BUFFER);
        buffer.try_write::<u16>(2, 7).unwrap();
        assert_eq!(buffer.try_read::<u8>(0), Ok(8));
        fake.verify().unwrap();
        // Nor is what comes after.
        regs.write(CONTROL, 9);
    });
    fake.verify().unwrap();
    // The script's answers are not held, what was written is.
    assert_eq!((fake.get(STATUS), fake.get(CONTROL)), (0, 9));
    assert_eq!((fake.get(ID), channel.get(ADDRESS)), (6, 0x0102_0304));
    assert_eq!(
        fake.log().to_string(),
        "\
no.  access  register            offset  bytes  value       remark
  1  write   CONTROL             0x04        4  0x00000004
  2  read    STATUS              0x08        2  0x0001      step 1
  3  read    STATUS              0x08        2  0x0002      step 2
  4  read    CONTROL             0x04        4  0x00000004  step 3
  5  read    LEVEL[1]            0x14        4  0x0000002c  step 4
  6  write   LEVEL[2]            0x18        4  0x00000006  step 5
  7  write   CONTROL             0x04        4  0x00000005  step 6
  8  write   CHANNEL[0].ADDRESS  0x20        4  0x01020304  step 7
  9  write   BUFFER[0x2]         0x42        2  0x0007      step 8
 10  read    BUFFER[0x0]         0x40        1  0x08        step 9
 11  write   CONTROL             0x04        4  0x00000009
"
    );
}

#[test]
fn another_register_than_expected_is_told_with_a_table() {
    let fake = Fake::<Device>::new();
    fake.set(ID, 1);
    drive(&fake, |regs| {
        assert_eq!(regs.read(ID), 1);
        fake.expect()
            .read(ID, 7)
            .write(CONTROL, 0x1234_5678)
            .read(STATUS, 3)
            .write_any(LEVEL.nth::<0>());
        assert_eq!(regs.read(ID), 7);
        // The script is left: as good as no device.
        assert_eq!(regs.read(STATUS), u16::MAX);
        regs.write(CONTROL, 0x1234_5678);
        assert_eq!(regs.read(ID), u32::MAX);
    });
    assert_eq!(fake.get(CONTROL), 0);
    let failed = fake.verify().unwrap_err();
    assert_eq!(
        failed.to_string(),
        "\
step 2 of 4: the driver read STATUS, where a write of 0x12345678 to CONTROL was expected

  no.  access  register  offset  bytes  value       remark
    2  read    ID        0x00        4  0x00000007  step 1
>   3  read    STATUS    0x08        2  0xffff      instead of step 2
    4  write   CONTROL   0x04        4  0x12345678  the script was left
    5  read    ID        0x00        4  0xffffffff  the script was left
    -  write   CONTROL   0x04        4  0x12345678  step 2, did not come
    -  read    STATUS    0x08        2  0x0003      step 3, did not come
    -  write   LEVEL[0]  0x10        4  ?           step 4, did not come
"
    );
    assert_eq!(format!("{failed:?}"), failed.to_string());
    // It is told once, and the fake works again.
    fake.verify().unwrap();
    assert_eq!(drive(&fake, |regs| regs.read(ID)), 1);
}

#[test]
fn another_value_another_direction_and_another_width_are_not_what_was_expected() {
    let first_line = |f: fn(Mmio<'_, Device, Sim>)| {
        let fake = Fake::<Device>::new();
        fake.block(CHANNEL.nth::<0>())
            .expect()
            .write(ADDRESS, 0x0102_0304);
        drive(&fake, f);
        let failed = fake.verify().unwrap_err().to_string();
        failed.lines().next().unwrap().to_owned()
    };
    let expected = "where a write of 0x01020304 to CHANNEL[0].ADDRESS was expected";
    assert_eq!(
        first_line(|regs| regs.block(CHANNEL.nth::<0>()).write(ADDRESS, 5)),
        format!("step 1 of 1: the driver wrote 0x00000005 to CHANNEL[0].ADDRESS, {expected}")
    );
    assert_eq!(
        first_line(|regs| assert_eq!(regs.block(CHANNEL.nth::<0>()).read(ADDRESS), !0)),
        format!("step 1 of 1: the driver read CHANNEL[0].ADDRESS, {expected}")
    );
    assert_eq!(
        first_line(|regs| regs.write(CONTROL, 5)),
        format!("step 1 of 1: the driver wrote 0x00000005 to CONTROL, {expected}")
    );
    assert_eq!(
        first_line(|_| {}),
        format!("step 1 of 1: the driver did nothing more, {expected}")
    );
}

#[test]
fn what_comes_after_the_last_step_is_one_too_many() {
    let fake = Fake::<Device>::new();
    fake.expect().read(STATUS, 3);
    drive(&fake, |regs| {
        assert_eq!(regs.read(STATUS), 3);
        regs.write(CONTROL, 1);
    });
    assert_eq!(fake.get(CONTROL), 0);
    assert_eq!(
        fake.verify().unwrap_err().to_string(),
        "\
after the last step: the driver wrote 0x00000001 to CONTROL, where nothing more was expected

  no.  access  register  offset  bytes  value       remark
    1  read    STATUS    0x08        2  0x0003      step 1
>   2  write   CONTROL   0x04        4  0x00000001  after the last step
"
    );
}

#[test]
fn what_did_not_come_is_told() {
    let fake = Fake::<Device>::new();
    fake.expect()
        .read(STATUS, 3)
        .read_held(ID)
        .write(CONTROL, 1);
    drive(&fake, |regs| assert_eq!(regs.read(STATUS), 3));
    assert_eq!(
        fake.verify().unwrap_err().to_string(),
        "\
step 2 of 3: the driver did nothing more, where a read of ID was expected

  no.  access  register  offset  bytes  value       remark
    1  read    STATUS    0x08        2  0x0003      step 1
>   -  read    ID        0x00        4  ?           step 2, did not come
    -  write   CONTROL   0x04        4  0x00000001  step 3, did not come
"
    );
}

#[test]
fn a_script_goes_on_when_the_device_is_pulled_out_in_the_middle() {
    let fake = Fake::<Device>::new();
    fake.expect().read(ID, 7).read(STATUS, 1).write(CONTROL, 0);
    fake.remove_after(1);
    drive(&fake, |regs| {
        assert_eq!(regs.read(ID), 7);
        assert_eq!(regs.read_or_gone(STATUS), Err(Error::Gone));
        regs.write(CONTROL, 0);
    });
    fake.verify().unwrap();
    assert_eq!(
        fake.log().to_string(),
        "\
no.  access  register  offset  bytes  value       remark
  1  read    ID        0x00        4  0x00000007  step 1
  2  read    STATUS    0x08        2  0xffff      step 2; gone
  3  write   CONTROL   0x04        4  0x00000000  step 3; gone
"
    );
}

#[test]
fn a_mismatch_in_a_callback_is_not_lost() {
    let sim = Sim::new();
    let fake = Fake::<Device>::new();
    fake.expect().read(STATUS, 1).read(STATUS, 0);
    let polled = sim.may_sleep(|cx| {
        enter(sim.clone(), cx, &fake.region(), |region, scope| {
            let regs = scope.map::<Device>(region)?;
            let polls = scope.own(std::sync::atomic::AtomicU32::new(0))?;
            let timer = scope.hrtimer(move |_| {
                polls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let _ = regs.read(CONTROL);
                Restart::No
            })?;
            timer.start(1.millis())?;
            scope.platform().sleep(cx, 2.millis());
            // It runs to its end.
            Ok::<_, Error>(polls.load(std::sync::atomic::Ordering::Relaxed))
        })
    });
    assert_eq!(polled, Ok(1));
    let failed = fake.verify().unwrap_err().to_string();
    assert!(failed.starts_with("step 1 of 2: the driver read CONTROL, where a read of STATUS"));
}

#[test]
fn a_panic_of_an_action_is_told_and_the_driver_goes_on() {
    common::quiet();
    let fake = Fake::<Device>::new();
    fake.on_read(STATUS, |_| panic!("on purpose: {}", "read"));
    fake.on_write(CONTROL, |_, _| panic!("on purpose"));
    drive(&fake, |regs| {
        assert_eq!(regs.read(ID), 0);
        assert_eq!(regs.read(STATUS), u16::MAX);
        regs.write(CONTROL, 2);
    });
    assert_eq!(
        fake.verify().unwrap_err().to_string(),
        "\
access 2: the action on a read of STATUS panicked: on purpose: read
access 3: the action on a write of CONTROL panicked: on purpose

  no.  access  register  offset  bytes  value       remark
    1  read    ID        0x00        4  0x00000000
>   2  read    STATUS    0x08        2  0xffff      its action panicked
>   3  write   CONTROL   0x04        4  0x00000002  its action panicked
"
    );
}

#[test]
fn a_test_that_forgets_to_verify_does_not_pass() {
    let fake = Fake::<Device>::new();
    fake.expect().read(STATUS, 3);
    let copy = fake.clone();
    drop(fake);
    let inner = copy.block(CHANNEL.nth::<0>());
    drop(copy);
    let told = panic_of(|| drop(inner));
    let expected =
        "a fake was dropped with this untold: step 1 of 1: the driver did nothing more, \
                    where a read of STATUS was expected\n\n  no.";
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn a_fake_that_was_verified_or_has_nothing_to_tell_is_dropped_in_silence() {
    let fake = Fake::<Device>::new();
    fake.expect().read(STATUS, 3);
    fake.verify().unwrap_err();
    drop(fake);

    let fake = Fake::<Device>::new();
    fake.expect().read(STATUS, 3);
    assert_eq!(drive(&fake, |regs| regs.read(STATUS)), 3);
}

#[test]
fn a_fake_that_is_dropped_by_a_panic_does_not_hide_it() {
    let told = panic_of(|| {
        common::quiet();
        let fake = Fake::<Device>::new();
        fake.expect().read(STATUS, 3);
        common::on_purpose(&format!("with {fake:?}"));
    });
    assert_eq!(told, "on purpose: with Fake<fake::Device>(0x0)");
}

//! Registers that are declared.

use driver_scope::{register_values, registers, Error, Registers};

use crate::common::{run, TestPlatform};
use crate::device::{device, Access::*};

registers! {
    Device: 0x100 {
        0x00 => ro ID: u32,
        0x04 => wo DOORBELL: u16,
        0x08 => rw CONTROL: u64,
        0x10 => rc ERRORS: u32,
        0x14 => w1c CAUSES: u32,
        0x19 => rw BYTE: u8,
        0x22 => rw SLOTS: [u16; 4; stride 8],
        0x40 => block PORT: [Port; 3; stride 0x20],
        0xa0 => block SPARE: Port,
        0xc8 => memory BUFFER: [u8; 0x24],
    }

    Port: 0x20 align 4 {
        0x00 => rw MODE: u32,
        0x04 => block LANE: [Lane; 2; stride 0x0c],
    }

    Lane: 0x0a align 2 {
        0x02 => rw GAIN: u16,
        0x04 => ro LEVELS: [u8; 6; stride 1],
    }

    Big: 0x40 big endian {
        0x00 => rw BIG64: u64,
        0x08 => rw BIG32: u32,
        0x0c => rw BIG16: u16,
        0x0e => rw BIG8: u8,
        0x10 => rw BIGS: [u32; 2; stride 4],
        0x18 => rc BIG_ERRORS: u16,
        0x1c => w1c BIG_CAUSES: u32,
        0x20 => block LITTLE: Little,
        0x30 => memory BIG_BUFFER: [u8; 8],
    }

    Little: 0x10 {
        0x00 => rw LITTLE32: u32,
        0x08 => block BIG_AGAIN: BigAgain,
    }

    BigAgain: 0x08 big endian {
        0x00 => rw BIG_AGAIN32: u32,
    }
}

/// A device each byte of which tells its place.
fn counting(size: usize) -> Vec<u8> {
    (0..size).map(|at| at as u8).collect()
}

pub fn each_right_does_what_it_says<P: TestPlatform>() {
    let (device, region) = device(counting(0x100));
    run::<P>(|scope| {
        let regs = scope.map::<Device>(&region)?;
        assert_eq!(regs.size(), 0x100);
        assert_eq!(regs.read(ID), 0x0302_0100);
        assert_eq!(regs.read_relaxed(ID), 0x0302_0100);
        assert_eq!(regs.read(CONTROL), 0x0f0e_0d0c_0b0a_0908);
        assert_eq!(regs.read(BYTE), 0x19);
        assert_eq!(regs.take(ERRORS), 0x1312_1110);
        assert_eq!(regs.read(CAUSES), 0x1716_1514);
        let widths = [(0, 4), (0, 4), (8, 8), (0x19, 1), (0x10, 4), (0x14, 4)];
        assert_eq!(device.accesses(), widths.map(|(at, width)| Read(at, width)));

        regs.write(DOORBELL, 0xd0d1);
        regs.write_relaxed(CONTROL, 0xc0c1_c2c3_c4c5_c6c7);
        regs.write(BYTE, 0xb0);
        regs.clear(CAUSES, 0xe0e1_e2e3);
        let widths = [(4, 2), (8, 8), (0x19, 1), (0x14, 4)];
        assert_eq!(
            device.accesses(),
            widths.map(|(at, width)| Write(at, width))
        );
        let mut expected = counting(0x100);
        expected[4..6].copy_from_slice(&[0xd1, 0xd0]);
        expected[8..16].copy_from_slice(&[0xc7, 0xc6, 0xc5, 0xc4, 0xc3, 0xc2, 0xc1, 0xc0]);
        expected[0x14..0x18].copy_from_slice(&[0xe3, 0xe2, 0xe1, 0xe0]);
        expected[0x19] = 0xb0;
        assert_eq!(device.bytes(), expected);
        Ok(())
    });
}

pub fn a_cleared_register_is_written_just_the_bits<P: TestPlatform>() {
    let (device, region) = device(vec![0xff; 0x100]);
    run::<P>(|scope| {
        scope.map::<Device>(&region)?.clear(CAUSES, 0x0000_8001);
        // Not read before, or what came meanwhile would be cleared as well.
        assert_eq!(device.accesses(), [Write(0x14, 4)]);
        assert_eq!(device.bytes()[0x14..0x18], [0x01, 0x80, 0, 0]);
        Ok(())
    });
}

pub fn a_taken_register_is_read_once<P: TestPlatform>() {
    let (device, region) = device(counting(0x100));
    run::<P>(|scope| {
        assert_eq!(scope.map::<Device>(&region)?.take(ERRORS), 0x1312_1110);
        assert_eq!(device.accesses(), [Read(0x10, 4)]);
        Ok(())
    });
}

pub fn a_modified_register_is_read_and_written_once<P: TestPlatform>() {
    let (device, region) = device(counting(0x100));
    run::<P>(|scope| {
        let regs = scope.map::<Device>(&region)?;
        regs.modify(CONTROL, |control| {
            // What the device does meanwhile is lost, as the documentation says.
            device.set(8, &[0xff]);
            control + 1
        });
        assert_eq!(device.accesses(), [Read(8, 8), Write(8, 8)]);
        assert_eq!(device.bytes()[8..10], [9, 9]);
        regs.modify_relaxed(SLOTS.nth::<1>(), |slot| slot << 8);
        assert_eq!(device.accesses(), [Read(0x2a, 2), Write(0x2a, 2)]);
        assert_eq!(device.bytes()[0x2a..0x2c], [0, 0x2a]);
        Ok(())
    });
}

pub fn elements_lie_a_stride_apart<P: TestPlatform>() {
    let (device, region) = device(counting(0x100));
    run::<P>(|scope| {
        let regs = scope.map::<Device>(&region)?;
        let places = [0x22, 0x2a, 0x32, 0x3a];
        assert_eq!(regs.read(SLOTS.nth::<0>()), 0x2322);
        assert_eq!(regs.read(SLOTS.nth::<3>()), 0x3b3a);
        assert_eq!(device.accesses(), [Read(0x22, 2), Read(0x3a, 2)]);
        for index in 0..4 {
            regs.write(SLOTS.at(index)?, index as u16);
        }
        assert_eq!(device.accesses(), places.map(|at| Write(at, 2)));

        assert_eq!(SLOTS.all().len(), 4);
        let found: Vec<u16> = SLOTS.all().map(|slot| regs.read(slot)).collect();
        assert_eq!(found, [0, 1, 2, 3]);
        assert_eq!(device.accesses(), places.map(|at| Read(at, 2)));
        let found: Vec<u16> = SLOTS.all().rev().map(|slot| regs.read(slot)).collect();
        assert_eq!(found, [3, 2, 1, 0]);
        Ok(())
    });
}

pub fn elements_beyond_the_array_are_refused<P: TestPlatform>() {
    let (device, region) = device(counting(0x100));
    run::<P>(|scope| {
        let regs = scope.map::<Device>(&region)?;
        let missing = |index, count| Err(Error::NoSuchElement { index, count });
        for index in [4, 5, usize::MAX / 8, usize::MAX] {
            assert_eq!(SLOTS.at(index).map(|_| ()), missing(index, 4));
        }
        assert_eq!(PORT.at(3).map(|_| ()), missing(3, 3));
        let lane = regs.block(PORT.at(2)?).block(LANE.nth::<1>());
        assert_eq!(LEVELS.at(6).map(|_| ()), missing(6, 6));
        assert_eq!(lane.read(LEVELS.at(5)?), 0x40 + 0x40 + 4 + 0xc + 9);
        assert_eq!(device.accesses(), [Read(0x99, 1)]);
        Ok(())
    });
}

pub fn blocks_nest<P: TestPlatform>() {
    let (device, region) = device(vec![0; 0x100]);
    run::<P>(|scope| {
        let regs = scope.map::<Device>(&region)?;
        let mut expected = vec![0; 0x100];
        let mut write = |at: usize, value: u8| expected[at] = value;
        for (number, port) in PORT.all().chain([]).enumerate() {
            let (port, base) = (regs.block(port), 0x40 + number * 0x20);
            let tag = 0x10 * (number as u8 + 1);
            port.write(MODE, tag.into());
            write(base, tag);
            for (number, lane) in LANE.all().enumerate() {
                let tag = tag + number as u8 + 1;
                port.block(lane).write(GAIN, tag.into());
                write(base + 4 + number * 0x0c + 2, tag);
            }
        }
        let spare = regs.block(SPARE);
        spare.write(MODE, 0x51);
        write(0xa0, 0x51);
        spare.block(LANE.nth::<1>()).write(GAIN, 0x52);
        write(0xa0 + 4 + 0x0c + 2, 0x52);
        assert_eq!(device.bytes(), expected);
        Ok(())
    });
}

/// Register files inside a larger BAR.
pub fn a_block_may_be_at_several_places_of_a_region<P: TestPlatform>() {
    let (device, region) = device(vec![0; 0x1000]);
    run::<P>(|scope| {
        let bar = scope.map::<[u8]>(&region)?;
        for (base, tag) in [(0, 1), (0x400, 2), (0xf00, 3)] {
            let regs = bar.block_at::<Device>(base)?;
            regs.write(BYTE, tag);
            let lane = regs.block(PORT.nth::<2>()).block(LANE.nth::<1>());
            lane.write(GAIN, u16::from(tag) << 8);
            assert_eq!(
                device.accesses(),
                [Write(base + 0x19, 1), Write(base + 0x92, 2)]
            );
            assert_eq!(device.bytes()[base + 0x19], tag);
            assert_eq!(device.bytes()[base + 0x92..][..2], [0, tag]);
        }
        // Alignment 4: where a block that has wider registers could not be.
        let port = bar.block_at::<Port>(0x804)?;
        port.write(MODE, 7);
        port.block(LANE.nth::<0>()).write(GAIN, 8);
        assert_eq!(device.accesses(), [Write(0x804, 4), Write(0x80a, 2)]);
        Ok(())
    });
}

pub fn a_block_reaches_no_further_than_its_region<P: TestPlatform>() {
    let (_, region) = device(vec![0; 0xff]);
    run::<P>(|scope| {
        let too_small = Error::RegionTooSmall {
            needed: 0x100,
            size: 0xff,
        };
        assert_eq!(scope.map::<Device>(&region).err(), Some(too_small));
        let bytes = scope.map::<[u8]>(&region)?;
        let outside = Error::OutOfBounds {
            offset: 0,
            width: 0x100,
            size: 0xff,
        };
        assert_eq!(bytes.block::<Device>().err(), Some(outside));
        Ok(())
    });
}

pub fn memory_of_a_block_is_where_it_says<P: TestPlatform>() {
    let (device, region) = device(counting(0x200));
    run::<P>(|scope| {
        let regs = scope.map::<[u8]>(&region)?.block_at::<Device>(0x100)?;
        let buffer = regs.memory(BUFFER);
        assert_eq!(buffer.len(), 0x24);
        let mut all = [0; 0x24];
        buffer.read_bytes(0, &mut all)?;
        assert_eq!(all[..], counting(0x100)[0xc8..0xec]);
        let mut expected = vec![Read(0x1c8, 8), Read(0x1d0, 8), Read(0x1d8, 8)];
        expected.extend([Read(0x1e0, 8), Read(0x1e8, 4)]);
        assert_eq!(device.accesses(), expected);
        let outside = Error::OutOfBounds {
            offset: 0x24,
            width: 1,
            size: 0x24,
        };
        assert_eq!(buffer.try_read::<u8>(0x24), Err(outside));
        Ok(())
    });
}

pub fn a_big_endian_device_sees_its_own_order<P: TestPlatform>() {
    let (device, region) = device(vec![0; 0x40]);
    run::<P>(|scope| {
        let regs = scope.map::<Big>(&region)?;
        regs.write(BIG64, 0x0102_0304_0506_0708);
        regs.write_relaxed(BIG32, 0x090a_0b0c);
        regs.write(BIG16, 0x0d0e);
        regs.write(BIG8, 0x0f);
        assert_eq!(
            device.accesses(),
            [Write(0, 8), Write(8, 4), Write(0xc, 2), Write(0xe, 1)]
        );
        assert_eq!(
            device.bytes()[..0xf],
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
        );
        device.set(0, &[0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8]);
        device.set(8, &[0xe1, 0xe2, 0xe3, 0xe4, 0xd1, 0xd2, 0xc1]);
        assert_eq!(regs.read(BIG64), 0xf1f2_f3f4_f5f6_f7f8);
        assert_eq!(regs.read_relaxed(BIG32), 0xe1e2_e3e4);
        assert_eq!(regs.read(BIG16), 0xd1d2);
        assert_eq!(regs.read(BIG8), 0xc1);

        regs.modify(BIG32, |value| value + 1);
        assert_eq!(device.bytes()[8..12], [0xe1, 0xe2, 0xe3, 0xe5]);
        regs.write(BIGS.at(1)?, 1);
        assert_eq!(device.bytes()[0x10..0x18], [0, 0, 0, 0, 0, 0, 0, 1]);
        device.set(0x18, &[0x12, 0x34]);
        assert_eq!(regs.take(BIG_ERRORS), 0x1234);
        regs.clear(BIG_CAUSES, 0x8000_0001);
        assert_eq!(device.bytes()[0x1c..0x20], [0x80, 0, 0, 1]);
        Ok(())
    });
}

pub fn the_order_of_bytes_is_each_blocks_own<P: TestPlatform>() {
    let (device, region) = device(vec![0; 0x40]);
    run::<P>(|scope| {
        let regs = scope.map::<Big>(&region)?;
        let little = regs.block(LITTLE);
        little.write(LITTLE32, 0x0102_0304);
        little.block(BIG_AGAIN).write(BIG_AGAIN32, 0x0102_0304);
        assert_eq!(device.bytes()[0x20..0x24], [4, 3, 2, 1]);
        assert_eq!(device.bytes()[0x28..0x2c], [1, 2, 3, 4]);
        // Bytes are bytes; words of them are little-endian, as all of `[u8]` is.
        let buffer = regs.memory(BIG_BUFFER);
        buffer.write_bytes(0, &[1, 2, 3, 4])?;
        buffer.write_words(4, &[0x0102_0304_u32])?;
        assert_eq!(device.bytes()[0x30..0x38], [1, 2, 3, 4, 4, 3, 2, 1]);
        Ok(())
    });
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Mode(u16);

impl Mode {
    fn from_bits(bits: u16) -> Self {
        Mode(bits)
    }
    fn bits(self) -> u16 {
        self.0
    }
}

register_values! { Mode: u16 = from_bits, bits }

pub fn values_with_fields_are_of_their_width<P: TestPlatform>() {
    registers! {
        Fields: 8 align 2 big endian {
            0x02 => rw FIELDS: Mode,
            0x04 => rw MORE: [Mode; 2; stride 2],
        }
    }
    assert_eq!((Fields::SIZE, Fields::ALIGN), (8, 2));
    let (device, region) = device(counting(8));
    run::<P>(|scope| {
        let regs = scope.map::<Fields>(&region)?;
        assert_eq!(regs.read(FIELDS), Mode(0x0203));
        regs.modify(MORE.at(1)?, |mode| Mode(mode.0 + 1));
        assert_eq!(device.bytes(), [0, 1, 2, 3, 4, 5, 6, 8]);
        assert_eq!(device.accesses(), [Read(2, 2), Read(6, 2), Write(6, 2)]);
        Ok(())
    });
}

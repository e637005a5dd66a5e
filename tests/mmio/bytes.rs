//! Device memory whose size is known at run time only.

use driver_scope::{registers, Error};

use crate::common::{run, TestPlatform};
use crate::device::{device, Access::*};
use crate::steps::widest;

registers! {
    Wide: 16 {
        8 => rw W64: u64,
    }

    Narrow: 10 align 2 {
        8 => rw W16: u16,
    }

    Huge: 0xffff_ffff_ffff_fff8 {}
}

fn outside<T>(offset: usize, width: usize, size: usize) -> Result<T, Error> {
    Err(Error::OutOfBounds {
        offset,
        width,
        size,
    })
}

fn misaligned<T>(offset: usize, width: usize) -> Result<T, Error> {
    Err(Error::Misaligned { offset, width })
}

pub fn an_access_of_bytes_is_checked<P: TestPlatform>() {
    let (device, region) = device(vec![0x11; 20]);
    run::<P>(|scope| {
        let bytes = scope.map::<[u8]>(&region)?;
        macro_rules! check {
            ($word:ty, $width:literal, $last:literal, $beyond:literal) => {
                let ones = <$word>::MAX / 0xff * 0x11;
                assert_eq!(bytes.try_read::<$word>($last), Ok(ones));
                assert_eq!(bytes.try_read_relaxed::<$word>($last), Ok(ones));
                assert_eq!(bytes.try_write::<$word>($last, ones), Ok(()));
                assert_eq!(bytes.try_write_relaxed::<$word>($last, ones), Ok(()));
                let mut expected = vec![Read($last, $width); 2];
                expected.extend([Write($last, $width); 2]);
                assert_eq!(device.accesses(), expected);

                // The last is where an offset and a width added would wrap.
                for at in [$beyond, usize::MAX - ($width - 1)] {
                    assert_eq!(bytes.try_read::<$word>(at), outside(at, $width, 20));
                    assert_eq!(bytes.try_read_relaxed::<$word>(at), outside(at, $width, 20));
                    assert_eq!(bytes.try_write::<$word>(at, 0), outside(at, $width, 20));
                    assert_eq!(
                        bytes.try_write_relaxed::<$word>(at, 0),
                        outside(at, $width, 20)
                    );
                }
                // Also where it lies outside.
                for at in (1..$width).chain([usize::MAX]).filter(|_| $width > 1) {
                    assert_eq!(bytes.try_read::<$word>(at), misaligned(at, $width));
                    assert_eq!(bytes.try_read_relaxed::<$word>(at), misaligned(at, $width));
                    assert_eq!(bytes.try_write::<$word>(at, 0), misaligned(at, $width));
                    assert_eq!(
                        bytes.try_write_relaxed::<$word>(at, 0),
                        misaligned(at, $width)
                    );
                }
                assert_eq!(device.accesses(), []);
            };
        }
        check!(u8, 1, 19, 20);
        check!(u16, 2, 18, 20);
        check!(u32, 4, 16, 20);
        check!(u64, 8, 8, 16);
        assert_eq!(device.bytes(), [0x11; 20]);
        Ok(())
    });
}

pub fn a_block_of_bytes_is_checked<P: TestPlatform>() {
    let (device, region) = device(vec![0; 40]);
    run::<P>(|scope| {
        let bytes = scope.map::<[u8]>(&region)?;
        bytes.block::<Wide>()?.write(W64, 1);
        bytes.block_at::<Wide>(24)?.write(W64, 2);
        bytes.block_at::<Narrow>(30)?.write(W16, 3);
        assert_eq!(device.accesses(), [Write(8, 8), Write(32, 8), Write(38, 2)]);
        let wide = |at| bytes.block_at::<Wide>(at).map(|_| ());
        let narrow = |at| bytes.block_at::<Narrow>(at).map(|_| ());
        assert_eq!(wide(4), misaligned(4, 8));
        assert_eq!(wide(25), misaligned(25, 8));
        assert_eq!(wide(32), outside(32, 16, 40));
        assert_eq!(wide(usize::MAX - 7), outside(usize::MAX - 7, 16, 40));
        assert_eq!(narrow(31), misaligned(31, 2));
        assert_eq!(narrow(32), outside(32, 10, 40));
        assert_eq!(narrow(40), outside(40, 10, 40));
        let huge = usize::MAX - 7;
        assert_eq!(bytes.block::<Huge>().map(|_| ()), outside(0, huge, 40));
        assert_eq!(bytes.block_at::<Huge>(8).map(|_| ()), outside(8, huge, 40));

        let (small, _) = bytes.split_at(8)?;
        assert_eq!(small.block::<Wide>().map(|_| ()), outside(0, 16, 8));
        assert_eq!(device.accesses(), []);
        Ok(())
    });
}

pub fn a_split_is_checked<P: TestPlatform>() {
    let (_, region) = device(vec![0; 20]);
    run::<P>(|scope| {
        let bytes = scope.map::<[u8]>(&region)?;
        for middle in [0, 8, 16] {
            let (before, after) = bytes.split_at(middle)?;
            assert_eq!((before.len(), after.len()), (middle, 20 - middle));
            assert_eq!(before.is_empty(), middle == 0);
        }
        let split = |middle| bytes.split_at(middle).map(|_| ());
        // Whatever begins somewhere begins at a multiple of 8.
        for middle in [1, 2, 4, 7, 12, 20, 21, usize::MAX] {
            assert_eq!(split(middle), misaligned(middle, 8));
        }
        for middle in [24, 32, usize::MAX - 7] {
            assert_eq!(split(middle), outside(middle, 0, 20));
        }
        let (all, none) = bytes.split_at(16)?.0.split_at(16)?;
        assert_eq!((all.len(), none.len(), none.is_empty()), (16, 0, true));
        assert_eq!(none.try_read::<u8>(0), outside(0, 1, 0));
        let (none, none_either) = none.split_at(0)?;
        assert!(none.is_empty() && none_either.is_empty());
        Ok(())
    });
}

pub fn parts_have_no_byte_in_common<P: TestPlatform>() {
    let (device, region) = device(vec![0; 61]);
    run::<P>(|scope| {
        let bytes = scope.map::<[u8]>(&region)?;
        let (first, rest) = bytes.split_at(16)?;
        let (second, rest) = rest.split_at(8)?;
        let (third, fourth) = rest.split_at(24)?;
        let mut expected = Vec::new();
        for (tag, part) in [(1, first), (2, second), (3, third), (4, fourth)] {
            let tag: u8 = tag;
            for at in 0..part.len() {
                // What another part reaches, it finds as it was.
                assert_eq!(part.try_read::<u8>(at), Ok(0));
                part.try_write(at, tag)?;
            }
            assert_eq!(
                part.try_write(part.len(), tag),
                outside(part.len(), 1, part.len())
            );
            expected.extend(vec![tag; part.len()]);
        }
        assert_eq!(device.bytes(), expected);
        Ok(())
    });
}

pub fn bytes_are_copied_by_the_widest_accesses<P: TestPlatform>() {
    let before: Vec<u8> = (1..=80).collect();
    let (device, region) = device(before.clone());
    run::<P>(|scope| {
        let bytes = scope.map::<[u8]>(&region)?;
        for offset in 0..40 {
            for count in 0..=40 {
                let mut to = vec![0; count];
                bytes.read_bytes(offset, &mut to)?;
                assert_eq!(to, before[offset..offset + count]);
                let reads: Vec<_> = widest(offset, count).map(|(at, w)| Read(at, w)).collect();
                assert_eq!(device.accesses(), reads, "{count} bytes at {offset}");

                let from: Vec<u8> = (0..count).map(|byte| 0x80 | byte as u8).collect();
                bytes.write_bytes(offset, &from)?;
                let mut expected = before.clone();
                expected[offset..offset + count].copy_from_slice(&from);
                assert_eq!(device.bytes(), expected);
                let writes: Vec<_> = widest(offset, count).map(|(at, w)| Write(at, w)).collect();
                assert_eq!(device.accesses(), writes, "{count} bytes at {offset}");
                device.set(0, &before);
            }
        }
        // One by hand, for what `widest` says.
        bytes.read_bytes(3, &mut [0; 22])?;
        let widths = [(3, 1), (4, 4), (8, 8), (16, 8), (24, 1)];
        assert_eq!(device.accesses(), widths.map(|(at, width)| Read(at, width)));
        bytes.write_bytes(8, &[0; 7])?;
        let widths = [(8, 4), (12, 2), (14, 1)];
        assert_eq!(
            device.accesses(),
            widths.map(|(at, width)| Write(at, width))
        );
        Ok(())
    });
}

pub fn words_are_copied_by_accesses_of_their_width<P: TestPlatform>() {
    let before: Vec<u8> = (1..=64).collect();
    let (device, region) = device(before.clone());
    run::<P>(|scope| {
        let bytes = scope.map::<[u8]>(&region)?;
        macro_rules! copy {
            ($word:ty, $width:literal, $offset:literal) => {
                for count in 0..5 {
                    let places = (0..count).map(|index| $offset + index * $width);
                    let mut to = vec![0; count];
                    bytes.read_words::<$word>($offset, &mut to)?;
                    let chunks = before[$offset..].chunks_exact($width).take(count);
                    let expected: Vec<$word> = chunks
                        .map(|chunk| <$word>::from_le_bytes(chunk.try_into().unwrap()))
                        .collect();
                    assert_eq!(to, expected);
                    let reads: Vec<_> = places.clone().map(|at| Read(at, $width)).collect();
                    assert_eq!(device.accesses(), reads);

                    let from: Vec<$word> = expected.iter().map(|word| !word).collect();
                    bytes.write_words($offset, &from)?;
                    let mut expected = before.clone();
                    for byte in &mut expected[$offset..$offset + count * $width] {
                        *byte = !*byte;
                    }
                    assert_eq!(device.bytes(), expected);
                    let writes: Vec<_> = places.map(|at| Write(at, $width)).collect();
                    assert_eq!(device.accesses(), writes);
                    device.set(0, &before);
                }
            };
        }
        copy!(u8, 1, 3);
        copy!(u16, 2, 6);
        copy!(u32, 4, 12);
        copy!(u64, 8, 24);
        Ok(())
    });
}

pub fn a_refused_copy_does_nothing<P: TestPlatform>() {
    let (device, region) = device(vec![0; 20]);
    run::<P>(|scope| {
        let bytes = scope.map::<[u8]>(&region)?;
        for (at, count) in [
            (21, 0),
            (20, 1),
            (0, 21),
            (19, 2),
            (usize::MAX, 1),
            (usize::MAX, 2),
        ] {
            let mut to = vec![9; count];
            assert_eq!(bytes.read_bytes(at, &mut to), outside(at, count, 20));
            assert_eq!(bytes.write_bytes(at, &to), outside(at, count, 20));
            assert_eq!(to, vec![9; count]);
        }
        for (at, count) in [
            (16, 2),
            (20, 1),
            (24, 0),
            (usize::MAX - 3, 1),
            (usize::MAX - 3, 2),
        ] {
            let mut to = vec![9_u32; count];
            assert_eq!(bytes.read_words(at, &mut to), outside(at, 4 * count, 20));
            assert_eq!(bytes.write_words(at, &to), outside(at, 4 * count, 20));
            assert_eq!(to, vec![9; count]);
        }
        for at in [1, 2, 3, 18, usize::MAX] {
            let mut to = [9_u32; 2];
            assert_eq!(bytes.read_words(at, &mut to), misaligned(at, 4));
            assert_eq!(bytes.write_words(at, &to), misaligned(at, 4));
            assert_eq!(to, [9; 2]);
        }
        // Nothing is copied from the very end, which is no error.
        bytes.read_bytes(20, &mut [])?;
        bytes.write_words::<u32>(20, &[])?;
        assert_eq!(device.accesses(), []);
        assert_eq!(device.bytes(), [0; 20]);
        Ok(())
    });
}

pub fn a_region_may_be_empty<P: TestPlatform>() {
    let (_, region) = device([]);
    run::<P>(|scope| {
        let bytes = scope.map::<[u8]>(&region)?;
        assert!(bytes.is_empty());
        assert_eq!(bytes.try_read::<u8>(0), outside(0, 1, 0));
        bytes.read_bytes(0, &mut [])?;
        bytes.split_at(0).map(drop)
    });
}

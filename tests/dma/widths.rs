//! What copies and barriers are made of, as a machine sees it that notes them.

use driver_scope::{DmaBuffer, Error, Platform};

use super::common::machine::noted;
use super::common::{run, Foreign};
use super::{device, Entry};

/// `what` of this many bytes each.
fn each(what: &str, widths: &[usize]) -> Vec<String> {
    widths
        .iter()
        .map(|width| format!("{what} {width}"))
        .collect()
}

#[test]
#[cfg(target_pointer_width = "64")]
fn copies_are_of_words_where_they_are_aligned() {
    run::<Foreign>(|scope| {
        let (device, _side) = device(scope.platform());
        let bytes = scope.dma_bytes(scope.dma(&device, 32)?, 64)?;
        let data: Vec<u8> = (1..=20).collect();
        let mut back = [0; 20];
        // From 5: three bytes, two words, one byte.
        let widths = [1, 1, 1, 8, 8, 1];
        assert_eq!(
            noted(|| bytes.copy_in(5, &data).unwrap()),
            each("write", &widths)
        );
        assert_eq!(
            noted(|| bytes.copy_out(5, &mut back).unwrap()),
            each("read", &widths)
        );
        assert_eq!(back, data[..]);
        Ok(())
    });
}

#[test]
fn barriers_are_those_of_the_machine() {
    run::<Foreign>(|scope| {
        let (device, _side) = device(scope.platform());
        let dma = scope.dma(&device, 32)?;
        assert_eq!(noted(|| dma.write_barrier()), ["write barrier"]);
        assert_eq!(noted(|| dma.read_barrier()), ["read barrier"]);
        Ok(())
    });
}

#[test]
fn only_a_part_is_empty() {
    fn empty<P: Platform>(bytes: DmaBuffer<'_, [u8], P>) -> Result<bool, Error> {
        Ok(bytes.part(8, 0)?.is_empty())
    }
    run::<Foreign>(|scope| {
        let (device, _side) = device(scope.platform());
        let dma = scope.dma(&device, 32)?;
        let bytes = scope.dma_bytes(dma, 16)?;
        assert!(!bytes.is_empty() && empty(bytes)?);
        let ring = scope.dma_ring::<Entry>(dma, 1)?;
        assert!(!ring.is_empty() && ring.len() == 1);
        Ok(())
    });
}

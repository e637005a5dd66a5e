//! The memory that the device transfers from and to.

/// What a transfer of the model meets: the memory of its machine, as far as the device reaches that.
///
/// Called with the model's lock held, so it must not use the model.
pub trait Memory: Send + Sync + 'static {
    /// Reads memory; false if the device does not reach it. What is then in `to` is what the device gets.
    fn read(&self, address: u64, to: &mut [u8]) -> bool;

    /// Writes memory; false if the device does not reach it.
    fn write(&self, address: u64, from: &[u8]) -> bool;
}

// Wrong: a type of one's own is declared a machine word.
// Instead: declare the register as `u8`, `u16`, `u32` or `u64`, and convert the value: `Status(regs.read(STATUS))`.
use driver_scope::Word;

#[derive(Clone, Copy)]
struct Status(u32);

impl Word for Status {
    const ONES: Self = Status(u32::MAX);
    unsafe fn read_volatile(address: *const Self) -> Self {
        unsafe { address.read_volatile() }
    }
    unsafe fn write_volatile(address: *mut Self, value: Self) {
        unsafe { address.write_volatile(value) }
    }
    unsafe fn load_relaxed(address: *mut Self) -> Self {
        unsafe { address.read() }
    }
    unsafe fn store_relaxed(address: *mut Self, value: Self) {
        unsafe { address.write(value) }
    }
    fn to_le(self) -> Self {
        self
    }
    fn swap_bytes(self) -> Self {
        self
    }
    fn to_u64(self) -> u64 {
        self.0.into()
    }
    fn truncate(value: u64) -> Self {
        Status(value as u32)
    }
}

fn main() {}

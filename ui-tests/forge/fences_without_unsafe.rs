// Wrong: how threads that read and threads that wait are ordered is written without `unsafe`: here not at all.
// Instead: `unsafe impl`, with the reason why the promise is kept; or one that is there: `Fenced`, `Membarrier`.
use driver_scope::platform::Fences;
use driver_scope::sections::Cells;

enum Nothing {}

impl Fences for Nothing {
    unsafe fn ready() -> bool {
        true
    }
    unsafe fn light() {}
    unsafe fn heavy() {}
    unsafe fn mine() -> *const Cells {
        std::ptr::null()
    }
    unsafe fn set_mine(_: *const Cells) {}
}

fn main() {}

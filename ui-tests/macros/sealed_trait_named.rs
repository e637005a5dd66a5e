// Wrong: the trait that seals what can be mapped is named by its path, to be implemented with a size of one's own.
// Instead: what can be mapped comes from `registers!`.
// Refused: module `sealed` is private
use driver_scope::mmio::sealed::Extent;

struct Anything;
impl Extent for Anything {}

fn main() {}

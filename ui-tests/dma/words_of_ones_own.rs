// Wrong: an array of words of one's own making, whose size would be trusted.
// Instead: `[u32; 4]` or the like.
use driver_scope::dma::Words;

#[derive(Clone, Copy)]
struct Three([u32; 3]);

impl Words for Three {
    type Word = u32;
    const COUNT: usize = 300;
}

fn main() {}

// Wrong: a platform's tracer, which lives as long as the platform, reads a driver's registers.
// Instead: a tracer with a `Devres` of them.
// Refused: argument requires that `'1` must outlive `'static`
use driver_scope::platform::Host;
use driver_scope::Mmio;

fn trace(regs: Mmio<'_, [u8], Host>) -> std::io::Result<Host> {
    Host::with_tracer(move |_| {
        let _ = regs.try_read::<u32>(0);
    })
}

fn main() {}

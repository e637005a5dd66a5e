//! For platforms around another one, which do most things as that does.

/// What a `Platform` has from the platform of type `$P` in its field `$inner`: what belongs to the calling context, the time, interrupts and DMA in any case; of the rest what
/// is named, and what is not is written out beside it.
macro_rules! hand_on {
    ($P:ty, $inner:tt: $($part:ident),* $(,)?) => {
        type Irqs = <$P as ::driver_scope::Platform>::Irqs;
        type Dma = <$P as ::driver_scope::Platform>::Dma;

        fn context(&self) -> ::driver_scope::ContextId {
            self.$inner.context()
        }

        fn is_beneath(&self, context: ::driver_scope::ContextId) -> bool {
            self.$inner.is_beneath(context)
        }

        fn in_callback(&self) -> bool {
            self.$inner.in_callback()
        }

        fn sleep(&self, cx: ::driver_scope::MaySleep<'_>, delay: ::core::time::Duration) {
            self.$inner.sleep(cx, delay);
        }

        fn delay(&self, delay: ::core::time::Duration) {
            self.$inner.delay(delay);
        }

        fn now(&self) -> ::driver_scope::Instant {
            self.$inner.now()
        }

        fn clock(&self, clock: ::driver_scope::Clock) -> Option<::driver_scope::Instant> {
            self.$inner.clock(clock)
        }

        fn irqs(&self) -> &Self::Irqs {
            self.$inner.irqs()
        }

        fn dma(&self) -> &Self::Dma {
            self.$inner.dma()
        }

        $(hand_on!(@ $part, $P, $inner);)*
    };
    (@ bus, $P:ty, $inner:tt) => {
        type Bus = <$P as ::driver_scope::Platform>::Bus;
    };
    (@ lock, $P:ty, $inner:tt) => {
        type RawLock = <$P as ::driver_scope::Platform>::RawLock;
    };
    (@ memory, $P:ty, $inner:tt) => {
        fn allocate(&self, layout: ::core::alloc::Layout) -> Option<::core::ptr::NonNull<u8>> {
            self.$inner.allocate(layout)
        }

        unsafe fn deallocate(&self, block: ::core::ptr::NonNull<u8>, layout: ::core::alloc::Layout) {
            // SAFETY: the caller's promise.
            unsafe { self.$inner.deallocate(block, layout) }
        }
    };
    (@ timers, $P:ty, $inner:tt) => {
        type Timers = <$P as ::driver_scope::Platform>::Timers;

        fn timers(&self) -> &Self::Timers {
            self.$inner.timers()
        }
    };
    (@ sections, $P:ty, $inner:tt) => {
        type Sections = <$P as ::driver_scope::Platform>::Sections;

        fn sections(&self) -> &Self::Sections {
            self.$inner.sections()
        }
    };
    (@ defer, $P:ty, $inner:tt) => {
        unsafe fn defer(
            &self,
            node: *mut Self::Deferred,
            run: ::driver_scope::platform::DeferredEntry,
            argument: *mut (),
        ) {
            // SAFETY: the caller's promise.
            unsafe { self.$inner.defer(node, run, argument) }
        }
    };
    (@ pause, $P:ty, $inner:tt) => {
        fn pause(&self, cx: ::driver_scope::MaySleep<'_>, round: u32) {
            self.$inner.pause(cx, round);
        }
    };
    (@ trace, $P:ty, $inner:tt) => {
        fn trace(&self, event: &::driver_scope::event::Event<'_>) {
            self.$inner.trace(event);
        }
    };
}

pub(crate) use hand_on;

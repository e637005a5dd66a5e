// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel has as macros and inline functions only, and its crate does not offer.
 */
#include <linux/lockdep.h>
#include <linux/preempt.h>
#include <linux/irqflags.h>
#include <linux/spinlock.h>

unsigned int driver_scope_level(void);
bool driver_scope_is_preemptible(void);
void driver_scope_raw_spin_lock_init(raw_spinlock_t *lock, const char *name,
				     const void *key);

/* What interrupted the current task: 0 nothing, 1 a soft interrupt, 2 a hard one, 3 one that cannot be masked. */
unsigned int driver_scope_level(void)
{
	if (in_nmi())
		return 3;
	if (in_hardirq())
		return 2;
	if (in_serving_softirq())
		return 1;
	return 0;
}

/* Whether the caller may sleep, as far as this kernel counts what forbids it. */
bool driver_scope_is_preemptible(void)
{
	if (irqs_disabled() || in_interrupt())
		return false;
	return !IS_ENABLED(CONFIG_PREEMPT_COUNT) || !in_atomic();
}

void driver_scope_raw_spin_lock_init(raw_spinlock_t *lock, const char *name,
				     const void *key)
{
#ifdef CONFIG_DEBUG_SPINLOCK
	__raw_spin_lock_init(lock, name, (struct lock_class_key *)key,
			     LD_WAIT_SPIN);
#else
	raw_spin_lock_init(lock);
#endif
}

/* The lock motor: runs until the feedback says so, at most LOCK_MS, then it is jammed. */
#include <avr/io.h>

#include "board.h"

bool lock_jammed;
static bool wanted_locked;
static uint16_t running; /* ms left; 0: stands still */

void lock_begin(void) {
    DDRD |= _BV(PD7);
    DDRB |= _BV(PB2);
    PORTB |= _BV(PB3);
    wanted_locked = lock_feedback();
}

bool lock_feedback(void) { return !(PINB & _BV(PB3)); }

static void motor(bool lock, bool unlock) {
    if (lock) PORTD |= _BV(PD7);
    else PORTD &= ~_BV(PD7);
    if (unlock) PORTB |= _BV(PB2);
    else PORTB &= ~_BV(PB2);
}

void lock_set(bool locked) {
    if (locked == wanted_locked) return;
    wanted_locked = locked;
    lock_jammed = false;
    running = LOCK_MS;
    motor(locked, !locked);
}

void lock_tick(void) {
    if (!running) return;
    running--;
    if (lock_feedback() == wanted_locked) running = 0;
    else if (!running) lock_jammed = true;
    if (!running) motor(false, false);
}

char lock_state(void) { return running ? 'M' : lock_feedback() ? 'L' : 'U'; }

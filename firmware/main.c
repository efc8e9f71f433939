/* pyplc's board: obeys its host, and goes to the safe state without it.
 *
 *   host    :V seq                                    who are you?
 *           :O seq state duty relays lock             what is wanted; each 0.2 s, another seq each time
 *   board   :V seq protocol role version
 *           :S seq flags state duty high low proximity inlet relays lock uptime      each 50 ms
 *
 * Safe: pilot in state B (vehicle) or F (charger) at once, relays open OPEN_AFTER_MS later, unlocked when no voltage is
 * left. The board is in it after a reset, after HOST_SILENT_MS without a frame, and while the emergency input is open.
 * It leaves it only after a frame that wants nothing: outputs asked for earlier never come back by themselves.
 */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <stdlib.h>
#include <util/atomic.h>

#include "board.h"

enum { TRIPPED = 1, EMERGENCY = 2, CONTACTOR_CLOSED = 4, LOCK_JAMMED = 8, DIODE_FAULT = 16 };

struct measured seen = {.state = 'A'};
static volatile uint32_t milliseconds;
static struct wanted wanted;
static bool armed;
static uint32_t tripped_at, heard_at;
static uint16_t last_seq;
static bool any_seq;

ISR(TIMER0_COMPA_vect) { milliseconds++; }

uint32_t now_ms(void) {
    uint32_t t;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { t = milliseconds; }
    return t;
}

static void relays(uint8_t bits) {
    uint8_t out = PORTD & ~(_BV(PD3) | _BV(PD4));
    if (bits & 1) out |= _BV(PD3);
    if (bits & 2) out |= _BV(PD4);
    PORTD = out;
}

static uint8_t relays_now(void) { return (PORTD >> PD3) & 3; }

static bool emergency(void) { return PIND & _BV(PD2); }

static void trip(void) {
    if (armed) tripped_at = now_ms();
    armed = false;
    PORTB &= ~_BV(PB5);
    pilot_safe();
}

static bool wants_nothing(const struct wanted *w) {
    return !(w->relays & 3) && !w->duty && (w->state == 'B' || w->state == 'N' || w->state == 'F');
}

static void obey(const struct wanted *w) {
    if (!armed && wants_nothing(w) && !emergency()) {
        armed = true;
        PORTB |= _BV(PB5);
    }
    if (!armed) return;
    wanted = *w;
    pilot_set(w);
    lock_set(w->locked);
    relays(pilot_forbids_power(w->relays) ? 0 : w->relays);
}

/* the way down without a host, in the order of the standard */
static void look_after(uint32_t now) {
    if (emergency() || now - heard_at > HOST_SILENT_MS) trip();
    if (armed) {
        if (pilot_forbids_power(wanted.relays)) relays(0);
        return;
    }
    pilot_safe();
    if (now - tripped_at > OPEN_AFTER_MS) relays(0);
    if (now - tripped_at > OPEN_AFTER_MS + UNLOCK_AFTER_MS && seen.inlet < INLET_SAFE) lock_set(false);
}

static void tell_version(uint16_t seq) {
    char role[2] = {ROLE, 0};
    line_begin_frame('V');
    line_number(seq);
    line_number(PROTOCOL);
    line_word(role);
    line_word(VERSION);
    line_end_frame();
}

static void tell_status(uint32_t now) {
    uint8_t flags = (armed ? 0 : TRIPPED) | (emergency() ? EMERGENCY : 0) | (PINB & _BV(PB4) ? 0 : CONTACTOR_CLOSED) |
                    (lock_jammed ? LOCK_JAMMED : 0) | (seen.diode_fault ? DIODE_FAULT : 0);
    char state[2] = {seen.state, 0}, lock[2] = {lock_state(), 0};
    line_begin_frame('S');
    line_number(last_seq);
    line_number(flags);
    line_word(state);
    line_number(seen.duty);
    line_number(seen.high);
    line_number(seen.low);
    line_number(seen.proximity);
    line_number(seen.inlet);
    line_number(relays_now());
    line_word(lock);
    line_number((int32_t)(now / 100));
    line_end_frame();
}

/* " field" -> the text after it; NULL when there is none */
static char *field(char **at) {
    if (**at != ' ') return NULL;
    char *start = ++*at;
    while (**at && **at != ' ') ++*at;
    return start;
}

static void handle(char *body) {
    char *at = body + 1, *seq = field(&at);
    if (!seq) return;
    uint16_t number = (uint16_t)strtoul(seq, NULL, 10);
    if (body[0] == 'V') {
        tell_version(number);
        return;
    }
    char *state = field(&at), *duty = field(&at), *bits = field(&at), *lock = field(&at);
    if (body[0] != 'O' || !state || !duty || !bits || !lock) return;
    if (any_seq && number == last_seq) return; /* a repeated frame is no sign of life */
    struct wanted w = {*state, (uint16_t)strtoul(duty, NULL, 10), (uint8_t)strtoul(bits, NULL, 10), *lock == 'L'};
    if (w.duty > 970) return;
    last_seq = number;
    any_seq = true;
    heard_at = now_ms();
    obey(&w);
}

int main(void) {
    char body[40];
    uint32_t tick = 0, look = 0, status = 0;
    DDRD |= _BV(PD3) | _BV(PD4);
    DDRB |= _BV(PB5);
    PORTD |= _BV(PD2);
    PORTB |= _BV(PB4);
    TCCR0A = _BV(WGM01);
    TCCR0B = _BV(CS01) | _BV(CS00);
    OCR0A = F_CPU / 64 / 1000 - 1;
    TIMSK0 = _BV(OCIE0A);
    line_begin();
    lock_begin();
    pilot_begin();
    wdt_enable(WDTO_250MS);
    set_sleep_mode(SLEEP_MODE_IDLE);
    sei();
    for (;;) {
        uint32_t now = now_ms();
        wdt_reset();
        while (line_receive(body, sizeof body)) handle(body);
        for (; tick != now; tick++) {
            lock_tick();
#if ROLE == 'V'
            ADCSRA |= _BV(ADSC);
#endif
        }
        if (now - look >= 10) {
            look = now;
            pilot_look();
            look_after(now);
        }
        if (now - status >= STATUS_MS) {
            status = now;
            tell_status(now);
        }
        sleep_mode();
    }
}

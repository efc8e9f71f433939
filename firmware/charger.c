/* The charger's end of the pilot: 1 kHz from timer 1, level measured in both halves, diode check. */
#include <avr/interrupt.h>
#include <util/atomic.h>

#include "board.h"

#define TOP 1999 /* 1 kHz at 2 MHz */
#define AGREEING 3
#define CONNECTED (_BV(WGM11) | _BV(COM1A1))
#define STEADY _BV(WGM11)

const uint8_t open_at_once = 2;
static bool fault = true;
static uint16_t duty_now;

/* what is sampled in which period: at its start, or behind the falling edge (PILOT_LOW) */
static const uint8_t turns[] = {PILOT_HIGH, PILOT_LOW, INLET, PILOT_HIGH, PILOT_LOW, INLET, PROXIMITY, INLET};
static volatile uint8_t turn;

void pilot_begin(void) {
    CLEAR(PIN_OSCILLATOR);
    OUTPUT(PIN_OSCILLATOR);
    ICR1 = TOP;
    OCR1A = 99;
    OCR1B = 101;
    TCCR1A = STEADY;
    TCCR1B = _BV(WGM13) | _BV(WGM12) | _BV(CS11);
    TIMSK1 = _BV(TOIE1) | _BV(OCIE1B);
    pilot_safe();
}

ISR(TIMER1_OVF_vect) { /* the high half begins */
    turn = (turn + 1) & 7;
    if (turns[turn] != PILOT_LOW) analog_start(turns[turn]);
}

ISR(TIMER1_COMPB_vect) { /* behind the falling edge */
    if (turns[turn] == PILOT_LOW) analog_start(PILOT_LOW);
}

ISR(ADC_vect) { analog_store(ADC); }

void pilot_set(const struct wanted *w) {
    if (w->state != 'N') {
        pilot_safe();
        return;
    }
    if (!fault && w->duty == duty_now) return;
    fault = false;
    duty_now = w->duty;
    if (!duty_now) {
        TCCR1A = STEADY;
        SET(PIN_OSCILLATOR);
        return;
    }
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        OCR1A = duty_now * 2 - 1;
        OCR1B = duty_now * 2 + 1;
    }
    TCCR1A = CONNECTED;
}

void pilot_safe(void) { /* steady -12 V: not available */
    fault = true;
    duty_now = 0;
    TCCR1A = STEADY;
    CLEAR(PIN_OSCILLATOR);
}

void pilot_tick(void) {}

static int16_t centivolt(uint16_t millivolt) { return (int16_t)(((int16_t)millivolt - 2500) * 6L / 10); }

void pilot_look(void) {
    static char candidate;
    static uint8_t agreeing, missed;
    uint16_t high, low;
    bool both = analog_take(PILOT_HIGH, &high);
    if (both) seen.high = centivolt(high);
    if (analog_take(PILOT_LOW, &low)) seen.low = centivolt(low);
    else both = false;
    missed = both ? 0 : missed + (missed < BLIND_LOOKS);
    seen.blind = missed == BLIND_LOOKS;
    seen.duty = duty_now;
    char state = seen.high > 1050 ? 'A' : seen.high > 750 ? 'B' : seen.high > 450 ? 'C' : seen.high > 150 ? 'D' : 'E';
    bool diode = !duty_now || state == 'A' || seen.low < DIODE_LOW;
    if (!diode) state = 'E';
    if (fault) state = 'F';
    agreeing = state == candidate ? agreeing + (agreeing < AGREEING) : 0;
    candidate = state;
    if (agreeing == AGREEING || fault) {
        seen.state = state;
        seen.diode_fault = !diode && !fault;
    }
}

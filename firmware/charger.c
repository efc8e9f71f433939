/* The charger's end of the pilot: 1 kHz from timer 1, level measured in both halves, diode check. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "board.h"

#define TOP 1999 /* 1 kHz at 2 MHz */
#define AGREEING 3
#define DIODE_LOW -1000 /* 0.01 V: a vehicle's diode keeps the negative half at -12 V */

enum purpose { HIGH, LOW, INLET };
static volatile uint8_t purpose;
static volatile uint16_t high_counts = 512, low_counts = 512;
static volatile uint16_t inlet_sum, inlet_done;
static volatile uint8_t inlet_count;
static bool fault = true;
static uint16_t duty_now;

static void start(uint8_t for_what, uint8_t channel) {
    if (ADCSRA & _BV(ADSC)) return;
    purpose = for_what;
    ADMUX = _BV(REFS0) | channel;
    ADCSRA |= _BV(ADSC);
}

void pilot_begin(void) {
    DDRB |= _BV(PB1);
    ADCSRA = _BV(ADEN) | _BV(ADIE) | _BV(ADPS2); /* 1 MHz: sampled 1.5 us after the start */
    ICR1 = TOP;
    OCR1A = 99;
    OCR1B = 1000;
    TCCR1A = _BV(WGM11);
    TCCR1B = _BV(WGM13) | _BV(WGM12) | _BV(CS11);
    TIMSK1 = _BV(TOIE1) | _BV(OCIE1B);
    pilot_safe();
}

ISR(TIMER1_OVF_vect) { /* the high half begins */
    static uint8_t turn;
    turn = (turn + 1) & 3;
    if (turn == 3) start(INLET, INLET_CHANNEL);
    else start(HIGH, PILOT_CHANNEL);
}

ISR(TIMER1_COMPB_vect) { start(LOW, PILOT_CHANNEL); } /* in the middle of the low half */

ISR(ADC_vect) {
    uint16_t counts = ADC;
    if (purpose == HIGH) {
        high_counts = counts;
    } else if (purpose == LOW) {
        low_counts = counts;
    } else {
        inlet_sum += counts;
        if (++inlet_count == 16) {
            inlet_done = inlet_sum;
            inlet_sum = inlet_count = 0;
        }
    }
}

void pilot_set(const struct wanted *w) {
    if (w->state != 'N') {
        pilot_safe();
        return;
    }
    fault = false;
    duty_now = w->duty;
    if (!duty_now) {
        TCCR1A = _BV(WGM11);
        PORTB |= _BV(PB1);
        return;
    }
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        OCR1A = duty_now * 2 - 1;
        OCR1B = (OCR1A + TOP) / 2;
    }
    TCCR1A = _BV(WGM11) | _BV(COM1A1);
}

void pilot_safe(void) { /* steady -12 V: not available */
    fault = true;
    duty_now = 0;
    TCCR1A = _BV(WGM11);
    PORTB &= ~_BV(PB1);
}

static int16_t centivolt(uint16_t counts) { return (int16_t)(((int32_t)millivolt(counts) - 2500) * 6 / 10); }

void pilot_look(void) {
    static char candidate;
    static uint8_t agreeing;
    uint16_t high, low;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        high = high_counts;
        low = low_counts;
        seen.inlet = inlet_done;
    }
    seen.high = centivolt(high);
    seen.low = duty_now ? centivolt(low) : seen.high;
    seen.duty = duty_now;
    char state = seen.high > 1050 ? 'A' : seen.high > 750 ? 'B' : seen.high > 450 ? 'C' : seen.high > 150 ? 'D' : 'E';
    if (fault) state = 'F';
    bool diode = !duty_now || state == 'A' || seen.low < DIODE_LOW;
    if (!diode) state = 'E';
    agreeing = state == candidate ? agreeing + (agreeing < AGREEING) : 0;
    candidate = state;
    if (agreeing == AGREEING || fault) {
        seen.state = state;
        seen.diode_fault = !diode;
    }
}

bool pilot_forbids_power(uint8_t relays) {
    if (seen.state == 'C' || seen.state == 'D') return false;
    return seen.state != 'B' || (relays & 0x80);
}

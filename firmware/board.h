/* Pins, limits and shared names of the board: ATmega328P at 16 MHz (Arduino Uno, Nano, Pro Mini 5 V).
 *
 *   D0 D1   serial line to the host, 38400 8N1
 *   D2      emergency input: closed to ground is well, an open wire stops
 *   D3 D4   relay 1, relay 2: high closes
 *   D5 D6   vehicle: resistors for state C and for state D, high switches them on
 *   D7 D10  lock motor: D7 locks, D10 unlocks
 *   D8      vehicle: pilot as a logic level (comparator), high while the pilot is positive
 *   D9      charger: oscillator to the +-12 V driver, high is +12 V
 *   D11     lock feedback, closed to ground when locked
 *   D12     contactor feedback (auxiliary contacts), closed to ground when closed
 *   D13     LED: on while armed
 *   A0      vehicle: positive peak of the pilot, divided by 3; charger: pilot / 6 + 2.5 V
 *   A1      proximity, 330 ohm to 5 V
 *   A2      voltage of inlet or outlet, from an isolated divider
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

#define PROTOCOL 1
#define VERSION "1.0"
#ifndef ROLE
#error "ROLE is 'V' (vehicle) or 'C' (charger)"
#endif

#define BAUD_RATE 38400UL
#define HOST_SILENT_MS 1000 /* then the safe state */
#define OPEN_AFTER_MS 300   /* from the safe pilot to opening the relays: the current must be gone */
#define UNLOCK_AFTER_MS 1000
#define INLET_SAFE 1300     /* sum of 16 samples below which unlocking is safe: 60 V of 718 V full scale */
#define STATUS_MS 50
#define LOCK_MS 600         /* a lock motor runs no longer */

/* analog channels; values are in millivolt at the pin */
enum { PILOT_CHANNEL, PROXIMITY_CHANNEL, INLET_CHANNEL };

/* what the host wants; the safe state is all zero with state 'S' */
struct wanted {
    char state;      /* vehicle: B C D; charger: N (oscillator or +12 V), F (-12 V) */
    uint16_t duty;   /* charger: per mille, 0 is off */
    uint8_t relays;  /* bits 0, 1; bit 7: open them in state B */
    bool locked;
};

struct measured {
    char state;        /* A to F */
    uint16_t duty;     /* per mille, 0: no oscillator */
    int16_t high, low; /* pilot in 0.01 V */
    uint16_t proximity;
    uint16_t inlet; /* sum of 16 samples of 10 bits */
    bool diode_fault;
};

extern struct measured seen;
uint32_t now_ms(void);

/* pilot: vehicle.c or charger.c */
void pilot_begin(void);
void pilot_set(const struct wanted *);
void pilot_safe(void);
void pilot_look(void); /* each 10 ms: fills `seen` */
bool pilot_forbids_power(uint8_t relays);

/* lock.c */
extern bool lock_jammed;
void lock_begin(void);
void lock_set(bool locked);
void lock_tick(void); /* each ms */
bool lock_feedback(void);
char lock_state(void);

/* line.c */
void line_begin(void);
bool line_receive(char *body, uint8_t size); /* a frame with the right checksum */
void line_begin_frame(char kind);
void line_number(int32_t);
void line_word(const char *);
void line_end_frame(void);

/* millivolt of 10 bits at 5 V */
static inline uint16_t millivolt(uint16_t counts) { return (uint16_t)(((uint32_t)counts * 5000UL) >> 10); }

#endif

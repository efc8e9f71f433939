/* Pins, limits and shared names of the board: ATmega328P at 16 MHz (Arduino Uno, Nano, Pro Mini 5 V). */
#ifndef BOARD_H
#define BOARD_H

#include <avr/io.h>
#include <stdbool.h>
#include <stdint.h>

#define PROTOCOL 1
#define VERSION "1.0"
#ifndef ROLE
#error "ROLE is 'V' (vehicle) or 'C' (charger)"
#endif

/* The pins: port, bit, and what docs/reference/firmware-protocol.md says of them (a test compares). */
#define PIN_EMERGENCY D, 2  /* D2  | both    | in  | emergency input: closed to ground is well, an open wire stops */
#define PIN_RELAY_1 D, 3    /* D3  | both    | out | relay 1: high closes */
#define PIN_RELAY_2 D, 4    /* D4  | both    | out | relay 2: high closes; a charger's opens at once, for the enable of its supply */
#define PIN_STATE_C D, 5    /* D5  | vehicle | out | resistor of state C, high switches it on */
#define PIN_STATE_D D, 6    /* D6  | vehicle | out | resistor of state D, high switches it on */
#define PIN_LOCK D, 7       /* D7  | both    | out | lock motor: high locks */
#define PIN_POSITIVE B, 0   /* D8  | vehicle | in  | low while the pilot is positive (transistor) */
#define PIN_OSCILLATOR B, 1 /* D9  | charger | out | pilot driver: high is +12 V, low is -12 V */
#define PIN_UNLOCK B, 2     /* D10 | both    | out | lock motor: high unlocks */
#define PIN_LOCKED B, 3     /* D11 | both    | in  | lock feedback: closed to ground when locked */
#define PIN_CLOSED B, 4     /* D12 | both    | in  | contactor feedback: auxiliary contacts, closed to ground when closed */
#define PIN_ARMED B, 5      /* D13 | both    | out | LED: on while the host is obeyed */
#define PIN_PILOT C, 0      /* A0  | both    | in  | vehicle: pilot behind its diode / 3; charger: pilot / 6 + 2.5 V */
#define PIN_PROXIMITY C, 1  /* A1  | both    | in  | proximity, pulled to 5 V by 330 ohm */
#define PIN_INLET C, 2      /* A2  | both    | in  | voltage of inlet or outlet, from an isolated divider */

#define SET_(port, bit) (PORT##port |= _BV(bit))
#define CLEAR_(port, bit) (PORT##port &= (uint8_t)~_BV(bit))
#define OUTPUT_(port, bit) (DDR##port |= _BV(bit))
#define READ_(port, bit) (PIN##port & _BV(bit))
#define IS_SET_(port, bit) (PORT##port & _BV(bit))
#define CHANNEL_(port, bit) (bit)
#define SET(...) SET_(__VA_ARGS__)
#define CLEAR(...) CLEAR_(__VA_ARGS__)
#define OUTPUT(...) OUTPUT_(__VA_ARGS__)
#define READ(...) READ_(__VA_ARGS__)
#define IS_SET(...) IS_SET_(__VA_ARGS__)
#define CHANNEL(...) CHANNEL_(__VA_ARGS__)

#define BAUD_RATE 38400UL
#define HOST_SILENT_MS 1000   /* without an order for so long: the safe state */
#define GONE_MS 100           /* the pilot out of B, C and D for so long while a relay is closed: the safe state */
#define OPEN_AFTER_MS 500     /* from the safe pilot to open relays: the current must be gone */
#define UNLOCK_AFTER_MS 1000  /* from open relays to unlocking, below INLET_TOUCHABLE */
#define UNLOCK_ANYWAY_MS 5000 /* nobody is locked in */
#define LOCK_MS 1500          /* a lock motor runs no longer */
#define LOCK_AGAIN_MS 5000    /* a jammed lock that must open is tried again */
#define STATUS_MS 50
#define LOOK_MS 10
#define BLIND_LOOKS 10 /* so many looks without a sample: the safe state */

#define INLET_FULL_SCALE 7180UL /* 0.1 V at 5 V of the pin: calibrate here */
#define INLET_TOUCHABLE 600     /* 0.1 V */
#define DIODE_DROP 70           /* 0.01 V of the vehicle's pilot diode */
#define DIODE_LOW -1000         /* 0.01 V: with a vehicle's diode the low level stays below */
#define NO_READING -1

enum { TRIPPED = 1, EMERGENCY = 2, CONTACTOR_CLOSED = 4, LOCK_JAMMED = 8, DIODE_FAULT = 16, BLIND = 32, HOST_SILENT = 64, PILOT_GONE = 128, TEST_LIVE = 256 };

/* what the host wants */
struct wanted {
    char state;     /* vehicle: B C D; charger: N (oscillator or +12 V), F (-12 V); both: S (go down safely), T (try relays) */
    uint16_t duty;  /* charger: per mille, 0: steady +12 V */
    uint8_t relays; /* bits 0, 1 */
    bool locked;
};

struct measured {
    char state;        /* A to F */
    uint16_t duty;     /* per mille, 0: no oscillator */
    int16_t high, low; /* pilot in 0.01 V */
    int16_t proximity; /* mV or NO_READING */
    int16_t inlet;     /* 0.1 V or NO_READING */
    bool diode_fault;
    bool blind; /* the converter gives nothing */
};

extern struct measured seen;
uint32_t now_ms(void);

/* pilot: vehicle.c or charger.c */
void pilot_begin(void);
void pilot_set(const struct wanted *);
void pilot_safe(void);
void pilot_tick(void); /* each ms */
void pilot_look(void); /* each LOOK_MS: fills `seen` */
extern const uint8_t open_at_once; /* relays that do not wait for the current to be gone */

/* analog.c */
enum channel { PILOT_HIGH, PILOT_LOW, PROXIMITY, INLET, CHANNELS };
void analog_begin(void);
bool analog_start(enum channel); /* false: busy */
extern volatile enum channel analog_channel;
void analog_store(uint16_t counts); /* from the converter's interrupt */
bool analog_take(enum channel, uint16_t *millivolt);
void analog_look(void); /* proximity, inlet, blind */

/* lock.c */
extern bool lock_jammed;
void lock_begin(void);
void lock_set(bool locked);
void lock_tick(void); /* each ms */
char lock_state(void);

/* line.c */
void line_begin(void);
bool line_receive(char *body, uint8_t size); /* a frame with the right checksum */
bool line_room(uint8_t size);
void line_begin_frame(char kind);
void line_number(uint32_t);
void line_signed(int16_t);
void line_word(const char *);
void line_end_frame(void);

#endif

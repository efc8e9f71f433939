/* The board without a board: runs an ELF in simavr, its serial line as a pseudo terminal, its pins in a small world.
 *
 *     simulate vehicle|charger ELF PORT        PORT: the name under which the line is to be found
 *
 * The world is set by lines on the standard input:
 *     pilot off|steady|fault|N    vehicle: the charger's oscillator, N per mille          plugged 0|1
 *     load open|OHM               charger: the vehicle's resistor behind its diode        diode 0|1
 *     inlet VOLT      proximity open|OHM      emergency 0|1 (1: open)
 *     jam 0|1  weld 0|1  stuck 0|1            lock motor; contactor stays closed; contactor stays open
 *     reset           hang            the button; the program hangs in a loop without interrupts
 *     speed N                         times real time
 * and each change of an output is told on the standard output:
 *     t=MS heard=MS relays=N state=B|C|D|- duty=N level=V lock=L|U|- locked=0|1 armed=0|1 resets=N
 * t is the board's time, heard that of the last byte from the host, duty what the oscillator's edges say (1000: steady).
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <simavr/avr_adc.h>
#include <simavr/avr_extint.h>
#include <simavr/avr_ioport.h>
#include <simavr/avr_timer.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define CYCLES_A_MS 16000
#define TIMER_PRESCALER 8
#define BYTES_A_MS 4      /* 38400 baud */
#define BOOT_MS 500       /* boot loader */
#define LOCK_TRAVEL_MS 200
#define CONTACTOR_MS 20
#define LATE_MS 100       /* later than this, real time is given up */
#define TRAP 0x7000       /* an endless loop in empty flash */
#define FULL_SCALE_V 718.0
enum { PORTB_ = 0x25, DDRD_ = 0x2a, PORTD_ = 0x2b };

static struct {
    bool plugged, diode, emergency, jam, weld, stuck;
    int pilot; /* per mille; 1000 steady +12 V, 0 steady -12 V, -1 nothing */
    double load, proximity, inlet; /* ohm, ohm, V */
} world = {.plugged = true, .diode = true, .pilot = -1, .load = INFINITY, .proximity = 1500};

static avr_t *avr;
static bool charger;
static long ms, heard_ms, hold_until, speed = 1;
static unsigned resets;
static int master = -1, lock_position, contactor_ms;
static bool open_before, phase_high, pin_high, xoff, pins_lost = true;
static avr_cycle_count_t pin_rose, pin_high_for, pin_period, pin_edge;
static unsigned char in[4096];
static size_t in_length;

static struct input {
    char port;
    int bit;
    bool high;
    avr_irq_t *irq;
} positive = {'B', 0, false, NULL}, unlocked = {'B', 3, false, NULL}, apart = {'B', 4, false, NULL},
  emergency = {'D', 2, false, NULL};
static avr_ioport_external_t pulls[] = {{.name = 'B'}, {.name = 'D'}};
static avr_irq_t *adc, *uart;

static bool bit(unsigned address, int n) { return avr->data[address] >> n & 1; }

/* the vehicle's resistors at the end of the pilot, ohm */
static double resistor(void) {
    if (charger) return world.load;
    double g = 1 / 2740.0;
    if (bit(PORTD_, 5)) g += 1 / 1300.0;
    if (bit(PORTD_, 6)) g += 1 / 341.0;
    return 1 / g;
}

/* the pilot between 1 kohm and the vehicle's diode, V */
static double pilot(void) {
    double source = (charger ? pin_high : phase_high) ? 12 : -12, r = resistor();
    if (!charger && (!world.plugged || world.pilot < 0)) return 0;
    if (isinf(r)) return source;
    if (!world.diode) return source * r / (1000 + r);
    return source < 0 ? source : (source - 0.7) * r / (1000 + r) + 0.7;
}

static void sample(struct avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq, (void)param;
    union { /* as simavr packs it */
        uint32_t value;
        struct { uint32_t kind : 3, gain : 8, diff : 8, src : 13; } mux;
    } asked = {.value = value};
    unsigned channel = asked.mux.src;
    double volt = 0, behind = fmax(0, pilot() - 0.7);
    if (channel == 0) volt = charger ? pilot() / 6 + 2.5 : behind / 3;
    if (channel == 1) volt = !world.plugged || isinf(world.proximity) ? 5 : 5 * world.proximity / (world.proximity + 330);
    if (channel == 2) volt = fmax(0, world.inlet) * 5 / FULL_SCALE_V;
    avr_raise_irq(adc + channel, (uint32_t)lround(fmin(5, volt) * 1000));
}

/* an input; the external pull keeps it when the program writes its port */
static void set_pin(struct input *pin, bool high) {
    if (pin->high == high && !pins_lost) return;
    pin->high = high;
    avr_ioport_external_t *pull = &pulls[pin->port == 'D'];
    pull->mask |= 1u << pin->bit;
    pull->value = high ? pull->value | 1u << pin->bit : pull->value & ~(1u << pin->bit);
    avr_ioctl(avr, AVR_IOCTL_IOPORT_SET_EXTERNAL(pin->port), pull);
    if (!pin->irq) pin->irq = avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ(pin->port), pin->bit);
    if (pins_lost) avr_raise_irq(pin->irq, !high); /* a reset forgot them, and only changes are passed on */
    avr_raise_irq(pin->irq, high);
}

/* the charger's oscillator at the vehicle's inlet */
static avr_cycle_count_t edge(struct avr_t *a, avr_cycle_count_t when, void *param) {
    (void)a, (void)param;
    int duty = world.pilot;
    bool running = duty > 0 && duty < 1000;
    phase_high = running ? !phase_high : duty == 1000;
    set_pin(&positive, !(world.plugged && duty >= 0 && phase_high));
    int share = !running ? 1000 : phase_high ? duty : 1000 - duty;
    return when + (avr_cycle_count_t)(CYCLES_A_MS * share / 1000);
}

/* the charger's own oscillator */
static void oscillator(struct avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq, (void)param;
    pin_high = value & 1;
    pin_edge = avr->cycle;
    if (pin_high) {
        pin_period = avr->cycle - pin_rose;
        pin_rose = avr->cycle;
    } else {
        pin_high_for = avr->cycle - pin_rose;
    }
}

/* simavr 1.6 goes on with the old compare value when a running fast PWM gets another one; the chip takes it at the start
 * of the next period */
static void compared(struct avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq;
    for (avr_io_t *io = avr->io_port; io; io = io->next) {
        avr_timer_t *timer = (avr_timer_t *)io;
        if (!strcmp(io->kind, "timer") && timer->name == '1')
            timer->comp[param ? AVR_TIMER_COMPB : AVR_TIMER_COMPA].comp_cycles = (value + 1) * TIMER_PRESCALER;
    }
}

static int duty(void) {
    static int last;
    if (avr->cycle - pin_edge > 3 * CYCLES_A_MS) last = pin_high ? 1000 : 0;
    else if (pin_period > CYCLES_A_MS * 0.95 && pin_period < CYCLES_A_MS * 1.05 && pin_high_for < pin_period)
        last = (int)((pin_high_for * 1000 + pin_period / 2) / pin_period);
    return last;
}

static void said(struct avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq, (void)param;
    unsigned char byte = (unsigned char)value;
    if (write(master, &byte, 1) < 0 && errno != EAGAIN && errno != EIO) perror("pty");
}

static void stop(struct avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq, (void)value;
    xoff = param != NULL;
}

static void no_sleep(avr_t *a, avr_cycle_count_t cycles) { (void)a, (void)cycles; }

static void quiet(avr_t *a, const int level, const char *format, va_list arguments) {
    (void)a;
    if (level <= LOG_ERROR) vfprintf(stderr, format, arguments);
}

static void (*reset_before)(avr_t *);
static void counted(avr_t *a) {
    resets++;
    pins_lost = true;
    if (!charger) avr_cycle_timer_register(a, CYCLES_A_MS, edge, NULL);
    if (reset_before) reset_before(a);
}

static void press_reset(void) {
    avr_reset(avr);
    pin_high = false;
    hold_until = ms + BOOT_MS;
    in_length = 0;
}

static void hang(void) {
    avr->flash[TRAP] = 0xff;
    avr->flash[TRAP + 1] = 0xcf; /* rjmp to itself */
    avr->pc = TRAP;
    avr->sreg[7] = 0;
    avr->state = cpu_Running;
}

static double ohm(const char *text) { return strcmp(text, "open") ? atof(text) : INFINITY; }

static int source(const char *text) {
    if (!strcmp(text, "off")) return -1;
    if (!strcmp(text, "steady")) return 1000;
    return strcmp(text, "fault") ? atoi(text) : 0;
}

static void command(char *line) {
    char word[32] = "", value[32] = "";
    if (sscanf(line, "%31s %31s", word, value) < 1) return;
    bool on = atoi(value);
    if (!strcmp(word, "pilot")) world.pilot = source(value);
    else if (!strcmp(word, "plugged")) world.plugged = on;
    else if (!strcmp(word, "load")) world.load = ohm(value);
    else if (!strcmp(word, "diode")) world.diode = on;
    else if (!strcmp(word, "inlet")) world.inlet = atof(value);
    else if (!strcmp(word, "proximity")) world.proximity = ohm(value);
    else if (!strcmp(word, "emergency")) world.emergency = on;
    else if (!strcmp(word, "jam")) world.jam = on;
    else if (!strcmp(word, "weld")) world.weld = on;
    else if (!strcmp(word, "stuck")) world.stuck = on;
    else if (!strcmp(word, "reset")) press_reset();
    else if (!strcmp(word, "hang")) hang();
    else if (!strcmp(word, "speed") && atoi(value) > 0) speed = atoi(value);
    else fprintf(stderr, "simulate: unknown: %s\n", line);
}

/* false: the control channel was closed */
static bool listen_to_user(void) {
    static char line[128];
    static size_t length;
    struct pollfd fd = {.fd = 0, .events = POLLIN};
    while (poll(&fd, 1, 0) > 0) {
        char c;
        if (read(0, &c, 1) <= 0) return false;
        if (c != '\n') {
            if (length < sizeof line - 1) line[length++] = c;
            continue;
        }
        line[length] = 0;
        length = 0;
        command(line);
    }
    return true;
}

static void listen_to_host(void) {
    struct pollfd fd = {.fd = master, .events = POLLIN};
    poll(&fd, 1, 0);
    bool open = !(fd.revents & POLLHUP);
    if (open && !open_before) press_reset(); /* DTR */
    open_before = open;
    if (fd.revents & POLLIN) {
        ssize_t n = read(master, in + in_length, sizeof in - in_length);
        if (n > 0) {
            in_length += (size_t)n;
            heard_ms = ms;
        }
    }
    if (ms < hold_until) in_length = 0;
    size_t feed = in_length < BYTES_A_MS ? in_length : BYTES_A_MS, fed = 0;
    for (; fed < feed && !xoff; fed++) avr_raise_irq(uart + UART_IRQ_INPUT, in[fed]);
    memmove(in, in + fed, in_length - fed);
    in_length -= fed;
}

/* lock motor, contactor, switches */
static void mechanics(void) {
    int way = (bit(PORTD_, 7) ? 1 : 0) - (bit(PORTB_, 2) ? 1 : 0);
    if (!world.jam) lock_position += way;
    if (lock_position < 0) lock_position = 0;
    if (lock_position > LOCK_TRAVEL_MS) lock_position = LOCK_TRAVEL_MS;
    bool powered = bit(PORTD_, 3) && bit(DDRD_, 3);
    contactor_ms = powered ? contactor_ms + (contactor_ms < CONTACTOR_MS) : contactor_ms - (contactor_ms > 0);
    bool closed = (contactor_ms == CONTACTOR_MS && !world.stuck) || world.weld;
    if (pins_lost) avr_extint_set_strict_lvl_trig(avr, 0, 0); /* D2 is INT0, unused: else it is polled each cycle */
    set_pin(&unlocked, lock_position < LOCK_TRAVEL_MS);
    set_pin(&apart, !closed);
    set_pin(&emergency, world.emergency);
    pins_lost = false;
}

static void tell(void) {
    static char before[200];
    char now[200];
    int relays = (bit(PORTD_, 3) && bit(DDRD_, 3)) + 2 * (bit(PORTD_, 4) && bit(DDRD_, 4));
    char state = charger ? '-' : bit(PORTD_, 6) ? 'D' : bit(PORTD_, 5) ? 'C' : 'B';
    char lock = bit(PORTD_, 7) ? 'L' : bit(PORTB_, 2) ? 'U' : '-';
    snprintf(now, sizeof now, "relays=%d state=%c duty=%d lock=%c locked=%d armed=%d resets=%u", relays, state,
             charger ? duty() : 0, lock, lock_position == LOCK_TRAVEL_MS, bit(PORTB_, 5), resets);
    if (!strcmp(now, before)) return;
    strcpy(before, now);
    printf("t=%ld heard=%ld %s\n", ms, heard_ms, now);
    fflush(stdout);
}

static void make_port(const char *name) {
    int slave;
    struct termios raw;
    if (openpty(&master, &slave, NULL, NULL, NULL) < 0) {
        perror("openpty");
        exit(1);
    }
    tcgetattr(slave, &raw);
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    fcntl(master, F_SETFL, O_NONBLOCK);
    unlink(name);
    if (symlink(ttyname(slave), name) < 0) {
        perror(name);
        exit(1);
    }
    close(slave);
}

static void make_board(const char *elf) {
    elf_firmware_t firmware = {0};
    if (elf_read_firmware(elf, &firmware) < 0) exit(1);
    avr = avr_make_mcu_by_name("atmega328p");
    avr_global_logger_set(quiet);
    avr_init(avr);
    reset_before = avr->reset;
    avr->reset = counted;
    avr->frequency = 16000000;
    avr->vcc = avr->avcc = avr->aref = 5000;
    avr_load_firmware(avr, &firmware);
    avr->sleep = no_sleep;
    uint32_t flags = 0;
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    adc = avr_io_getirq(avr, AVR_IOCTL_ADC_GETIRQ, ADC_IRQ_ADC0);
    avr_irq_register_notify(adc + ADC_IRQ_OUT_TRIGGER, sample, NULL);
    uart = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), 0);
    avr_irq_register_notify(uart + UART_IRQ_OUTPUT, said, NULL);
    avr_irq_register_notify(uart + UART_IRQ_OUT_XOFF, stop, avr);
    avr_irq_register_notify(uart + UART_IRQ_OUT_XON, stop, NULL);
    if (charger) {
        avr_irq_t *timer = avr_io_getirq(avr, AVR_IOCTL_TIMER_GETIRQ('1'), 0);
        avr_irq_register_notify(timer + TIMER_IRQ_OUT_PWM0, compared, NULL);
        avr_irq_register_notify(timer + TIMER_IRQ_OUT_PWM1, compared, avr);
        avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ('B'), 1), oscillator, NULL);
    } else avr_cycle_timer_register(avr, CYCLES_A_MS, edge, NULL);
}

static void wait_for_real_time(void) {
    static struct timespec next;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!next.tv_sec) next = now;
    next.tv_nsec += 1000000 / speed;
    if (next.tv_nsec >= 1000000000) {
        next.tv_nsec -= 1000000000;
        next.tv_sec++;
    }
    long late = (now.tv_sec - next.tv_sec) * 1000 + (now.tv_nsec - next.tv_nsec) / 1000000;
    if (late > LATE_MS) next = now;
    else clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
}

int main(int argc, char **argv) {
    if (argc != 4 || (strcmp(argv[1], "vehicle") && strcmp(argv[1], "charger"))) {
        fprintf(stderr, "usage: simulate vehicle|charger ELF PORT\n");
        return 2;
    }
    charger = !strcmp(argv[1], "charger");
    make_port(argv[3]);
    make_board(argv[2]);
    for (bool on = true; on; ms++) {
        avr_cycle_count_t until = avr->cycle + CYCLES_A_MS;
        while (ms >= hold_until && avr->cycle < until) {
            int state = avr_run(avr);
            if (state == cpu_Done || state == cpu_Crashed) return 1;
        }
        mechanics();
        listen_to_host();
        on = listen_to_user();
        tell();
        wait_for_real_time();
    }
    unlink(argv[3]);
    return 0;
}

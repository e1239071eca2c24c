"""Figures of jobs for tests that show them."""

from jobctl.domain.figures import Course, Durations


def some_durations(count: int) -> Durations:
    """Attempts of a quarter of a second up to some seconds."""
    durations = Durations()
    durations.add(int(250_000 * 1.1 ** (n % 30)) for n in range(count))
    return durations


def some_course(succeeded: int, failed: int, *, at: int, every_us: int = 500_000) -> Course:
    """One outcome after another, those that failed last."""
    course = Course(1)
    for n in range(succeeded + failed):
        course.add(int(n < succeeded), int(n >= succeeded), at + n * every_us)
    return course

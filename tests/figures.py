"""Figures of jobs for tests that show them."""

from jobctl.domain.figures import Course, Durations, Slow


def some_durations(count: int) -> Durations:
    """Attempts of a quarter of a second up to some seconds."""
    durations = Durations()
    took = [int(250_000 * 1.1 ** (n % 30)) for n in range(count)]
    durations.add(took)
    durations.rank(Slow(us, item, 1) for item, us in enumerate(took, 1))
    return durations


def some_course(succeeded: int, failed: int, *, at: int, every_us: int = 500_000) -> Course:
    """One outcome after another, those that failed last."""
    course = Course(1)
    for n in range(succeeded + failed):
        course.add(int(n < succeeded), int(n >= succeeded), at + n * every_us)
    return course

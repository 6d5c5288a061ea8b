"""What the tests of the programs count with: a line per check that fails, then `N passed, M failed`."""

passed = failed = 0


def check(claim, what, detail=""):
    global passed, failed
    if claim:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what}\n  {str(detail)[:1500]}")


def finish():
    """Prints the counts; the exit code."""
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0

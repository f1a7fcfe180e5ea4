"""Incidents and quiet days: what happens to a healthy gateway, and exactly which alerts fire when.

Each is a function of no arguments that returns (Day, {minute: what fires}). The windows are the true
ones. What is written as firing is all that fires: an alert too many is a failure like one too few.
"""

from days import Day, during, since

ONE_HOUR = 60
ONE_DAY = 24 * ONE_HOUR
NOTHING = set()
INCIDENTS, QUIET = [], []


def incident(play):
    INCIDENTS.append(play)
    return play


def quiet(play):
    QUIET.append(play)
    return play


def ages_since(begin, end, clock=60):
    """Seconds since `begin`, while it lasts."""
    return lambda minute: clock * (minute - begin) if begin <= minute < end else 0


# -- locks

@incident
def a_dead_holder_with_a_long_ttl_stops_its_class():
    """It took a lock for an hour and died; everybody else gives up after 5 s."""
    day = Day(100)
    day.of_class("payments", during(0, 10, 600))
    day.rate("fencegate_lock_acquire_total", during(10, 70, 22), outcome="timeout",
             **{"class": "payments"})
    day.rate("fencegate_lock_acquire_total", lambda minute: 0 if 10 <= minute < 70 else 600,
             outcome="granted", **{"class": "payments"})
    day.in_the_way(ages_since(10, 70), ages_since(10, 70))
    day.expiries(during(70, 71, 2))
    return day, {9: NOTHING, 14: NOTHING,
                 17: {"HolderSilent warning payments"},
                 40: {"HolderSilent warning payments", "HolderSilent critical payments"},
                 69: {"HolderSilent warning payments", "HolderSilent critical payments"},
                 72: NOTHING, 99: NOTHING}


@incident
def a_dead_holder_of_one_lock_among_many():
    day = Day(90)
    day.rate("fencegate_lock_acquire_total", during(10, 70, 22), outcome="contended",
             **{"class": "payments"})
    day.in_the_way(ages_since(10, 70), ages_since(10, 70))
    return day, {14: NOTHING, 17: {"HolderSilent warning payments"},
                 60: {"HolderSilent warning payments"}, 72: NOTHING}


@incident
def a_hung_holder_renews_for_ever():
    day = Day(120)
    day.in_the_way(lambda minute: 10 if 10 <= minute < 100 else 0, ages_since(10, 100))
    day.level("fencegate_lock_waiters", during(10, 100, 12), **{"class": "payments"})
    day.rate("fencegate_lock_acquire_total", during(10, 100, 12), outcome="timeout",
             **{"class": "payments"})
    return day, {39: NOTHING, 42: {"HolderHung warning payments"},
                 99: {"HolderHung warning payments"}, 102: NOTHING}


@incident
def expiries_after_a_deploy():
    """The new version forgets to release every tenth lease."""
    day = Day(120)
    day.expiries(during(20, 80, 60))
    return day, {20: NOTHING, 35: NOTHING, 50: {"LeaseExpiriesHigh warning payments"},
                 79: {"LeaseExpiriesHigh warning payments"}, 87: NOTHING, 119: NOTHING}


@incident
def a_job_never_releases():
    day = Day(5 * ONE_HOUR)
    day.of_class("other", 0)
    day.expiries(lambda minute: 1 if minute % 10 < 1 else 0, "other")
    return day, {30: NOTHING, 200: {"LeaseExpiriesHigh warning other"}}


@incident
def stale_writes():
    day = Day(40)
    day.rate("fencegate_fence_checks_total", during(10, 11, 6), result="stale",
             **{"class": "payments"})
    return day, {9: NOTHING, 12: {"StaleWrites info payments"}, 27: NOTHING}


@incident
def stale_writes_have_become_usual():
    day = Day(120)
    day.rate("fencegate_fence_checks_total", during(10, 80, 30), result="expired",
             **{"class": "payments"})
    return day, {30: NOTHING, 60: {"StaleWrites warning payments"}, 100: NOTHING}


@incident
def the_line_is_full():
    """Seconds from empty to full, then everybody else is turned away."""
    day = Day(60)
    day.level("fencegate_lock_waiters", during(10, 40, 10_000), **{"class": "payments"})
    day.rate("fencegate_lock_acquire_total", during(10, 40, 300), outcome="queue_full",
             **{"class": "payments"})
    day.waits(lambda minute: {1: 0, 10: 0, 30: 100, 60: 500} if 10 <= minute < 40 else
              {1: 600, 10: 0, 30: 0, 60: 0}, "granted", "payments")
    return day, {9: NOTHING, 17: {"LockQueueFull warning payments"},
                 39: {"LockQueueFull warning payments"}, 52: NOTHING}


@incident
def more_workers_come_than_are_served():
    day = Day(80)
    day.level("fencegate_lock_waiters", lambda minute: max(0, 10 * (min(minute, 60) - 10)),
              **{"class": "payments"})
    return day, {9: NOTHING, 30: {"LockWaitersGrowing warning payments"},
                 60: {"LockWaitersGrowing warning payments"}, 70: NOTHING}


@incident
def workers_wait_long():
    day = Day(80)
    day.waits(lambda minute: {1: 300, 10: 0, 30: 300, 60: 0} if 10 <= minute < 50 else
              {1: 600, 10: 0, 30: 0, 60: 0}, "granted", "payments")
    return day, {9: NOTHING, 25: {"LockWaitHigh warning payments"}, 57: NOTHING}


@incident
def a_deadlock_of_holders_that_renew():
    day = Day(120)
    day.level("fencegate_lock_deadlocks", during(10, 100, 1))
    day.level("fencegate_lock_waiters", during(10, 100, 2), **{"class": "payments"})
    day.in_the_way(during(10, 100, 10), ages_since(10, 100))
    return day, {9: NOTHING, 13: {"Deadlock warning"}, 60: {"Deadlock warning"}, 102: NOTHING}


# -- the disk and the store

@incident
def the_disk_hangs():
    """Nothing is answered for ten minutes; clients give up, and the queue fills behind it."""
    day = Day(60)
    day.level("fencegate_store_commit_running_seconds", ages_since(10, 20))
    day.level("fencegate_store_queue_depth", during(11, 20, 4_096, 3))
    day.traffic(lambda minute: 0 if 10 <= minute < 20 else 600, errors=during(11, 20, 300),
                slow=during(20, 21, 300))
    day.commits(lambda minute: {0.005: 0 if 10 <= minute < 20 else 3_000, 0.1: 0, 1: 0, 10: 0,
                                60: 2 if 20 <= minute < 21 else 0})
    day.lag(lambda minute: {0.01: 6, 1: 0, 2.5: 0, 60: 100 if 20 <= minute < 21 else 0})
    return day, {9: NOTHING, 12: {"StoreStalled critical"}, 19: {"StoreStalled critical"},
                 21: NOTHING, 40: NOTHING, 59: NOTHING}


@incident
def the_disk_is_slow():
    day = Day(90)
    slow = during(10, 50, True, False)
    day.commits(lambda minute: {0.005: 0 if slow(minute) else 3_000, 0.1: 0,
                                1: 300 if slow(minute) else 0, 10: 0, 60: 0})
    day.traffic(600, slow=during(10, 50, 500))
    return day, {9: NOTHING, 19: {"CommitSlow warning"}, 49: {"CommitSlow warning"}, 57: NOTHING,
                 89: NOTHING}


@incident
def the_disk_is_filling_and_then_full():
    day = Day(26 * ONE_HOUR, step=120)
    free = lambda minute: max(20e9 - minute * 20e9 / (20 * ONE_HOUR), 0)
    day.level("fencegate_store_disk_free_bytes", lambda minute: 60e9 if minute > 1_400 else free(minute))
    day.rate("fencegate_store_errors_total", lambda minute: 50 if 1_200 <= minute < 1_400 else 0,
             kind="full")
    day.traffic(600, errors=during(1_200, 1_400, 300))
    return day, {200: NOTHING,
                 700: {"DiskNearlyFull warning"}, 1_100: {"DiskNearlyFull warning",
                                                          "DiskNearlyFull critical"},
                 1_260: {"StoreErrors critical full"}, 1_420: NOTHING, 1_500: NOTHING}


@incident
def the_disk_will_be_full_within_a_day():
    day = Day(6 * ONE_HOUR)
    day.level("fencegate_store_disk_free_bytes", lambda minute: 40e9 - minute * 50e9 / ONE_DAY)
    return day, {60: NOTHING, 230: NOTHING, 300: {"DiskNearlyFull warning"}}


@incident
def the_queue_is_full_with_a_small_limit():
    day = Day(60)
    day.level("fencegate_store_queue_depth_max", 100)
    day.level("fencegate_store_queue_depth", during(10, 40, 100, 3))
    day.traffic(600, errors=during(10, 40, 300))
    return day, {9: NOTHING, 14: {"StoreQueueSaturated warning"},
                 39: {"StoreQueueSaturated warning"}, 43: NOTHING, 59: NOTHING}


@incident
def a_damaged_row():
    day = Day(90)
    day.rate("fencegate_store_errors_total", during(10, 12, 2), kind="damaged")
    day.rate("fencegate_http_requests_total", during(10, 12, 20), status="500", listener="public",
             method="POST", route="/v1/payments/{id}/refunds")
    return day, {9: NOTHING, 13: {"StoreDamaged critical"}, 80: {"StoreDamaged critical"}}


@incident
def no_backup():
    day = Day(28 * ONE_HOUR, step=240)
    day.level("fencegate_store_last_backup_timestamp_seconds", 1)
    return day, {1_500: NOTHING, 1_620: {"BackupTooOld warning"}}


@incident
def a_restore():
    day = Day(26 * ONE_HOUR, step=120)
    day.restart(60, down=1)
    day.level("fencegate_store_epoch", since(60, 2, 1))
    day.level("fencegate_journal_transfers", since(60, 3_000, 5_000))
    return day, {59: NOTHING, 64: {"StoreRestored warning"}, 600: {"StoreRestored warning"},
                 1_510: NOTHING}


@incident
def another_store_in_its_place():
    day = Day(60)
    day.restart(30)
    day.level("fencegate_journal_transfers", since(30, 10, 5_000))
    return day, {29: NOTHING, 34: {"JournalShrank critical"}}


@incident
def a_verification_finds_something():
    day = Day(60)
    day.level("fencegate_store_last_verification_timestamp_seconds", since(20, 1_200), result="unsound")
    day.restart(40)
    return day, {19: NOTHING, 22: {"VerificationFailed critical"}, 50: {"VerificationFailed critical"}}


@incident
def a_verification_cannot_be_made():
    day = Day(60)
    day.level("fencegate_store_last_verification_timestamp_seconds", since(20, 1_200), result="failed")
    day.level("fencegate_store_last_verification_timestamp_seconds", since(40, 2_400, 1), result="sound")
    return day, {19: NOTHING, 22: {"VerificationFailed warning"}, 42: NOTHING}


@incident
def a_clock_is_set():
    day = Day(100)
    day.rate("fencegate_clock_jumps_total", during(10, 11, 2))
    return day, {9: NOTHING, 13: {"ClockJumped warning"}, 75: NOTHING}


# -- is it there

@incident
def the_gateway_is_down():
    day = Day(60)
    day.is_down = during(20, 40, True, False)
    day.restarts.append(40)
    return day, {19: NOTHING, 23: {"Down critical"}, 39: {"Down critical"}, 41: NOTHING}


@incident
def every_second_scrape_fails():
    day = Day(90, step=30)
    day.is_unscraped = lambda minute: 20 <= minute < 60 and int(minute * 2) % 2 == 0
    return day, {19: NOTHING, 30: {"Flapping warning"}, 59: {"Flapping warning"}, 78: NOTHING}


@incident
def it_restarts_again_and_again():
    day = Day(90)
    for at in range(20, 50, 3):
        day.restart(at, down=1)
    return day, {19: NOTHING, 27: {"Restarting warning"}, 49: {"Restarting warning"}, 85: NOTHING}


def a_certificate_that_ends(at, minutes):
    """With a certificate that has ended nothing is scraped."""
    day = Day(minutes)
    day.level("fencegate_tls_certificate_not_after_timestamp_seconds", 60 * at)
    day.is_unscraped = lambda minute: minute >= at
    return day


@incident
def a_certificate_a_week_before_its_end():
    a_week_before = 3 * ONE_HOUR
    day = a_certificate_that_ends(a_week_before + 7 * ONE_DAY, 5 * ONE_HOUR)
    return day, {50: NOTHING, 100: {"CertificateExpiresSoon warning"},
                 a_week_before + 15: {"CertificateExpiresSoon critical"}}


@incident
def a_certificate_at_its_end_and_after():
    end = 2 * ONE_HOUR
    day = a_certificate_that_ends(end, 12 * ONE_HOUR)
    return day, {end - 5: {"CertificateExpiresSoon critical"}, end + 1: {"CertificateEnded critical"},
                 end + 10: {"CertificateEnded critical"}, 11 * ONE_HOUR: {"CertificateEnded critical"}}


@incident
def the_connection_limit():
    day = Day(60)
    day.level("fencegate_http_connections", lambda minute: 9_000 if 5 <= minute < 20 else
              10_000 if 20 <= minute < 40 else 40, listener="public")
    day.rate("fencegate_http_connections_refused_total", during(20, 40, 100), listener="public")
    return day, {4: NOTHING, 17: {"ConnectionLimit warning"},
                 30: {"ConnectionLimit warning", "ConnectionLimit critical"}, 47: NOTHING}


@incident
def errors_that_nothing_explains():
    day = Day(3 * ONE_HOUR)
    day.traffic(600, errors=during(20, 80, 60))
    return day, {19: NOTHING, 45: {"ErrorBudgetBurn critical", "ErrorBudgetBurn warning"}, 87: {
        "ErrorBudgetBurn warning"}, 125: NOTHING}


@incident
def slowness_that_nothing_explains():
    day = Day(3 * ONE_HOUR)
    day.traffic(600, slow=during(20, 80, 300))
    return day, {19: NOTHING, 60: {"LatencyBudgetBurn critical", "LatencyBudgetBurn warning"}, 125: NOTHING}


@incident
def the_access_log_has_no_room():
    day = Day(60)
    day.rate("fencegate_access_log_lines_lost_total", during(10, 30, 600))
    return day, {9: NOTHING, 17: {"AccessLogLosesLines warning"}, 47: NOTHING}


# -- days that nobody should be told of

@quiet
def an_election_with_standbys():
    """The leader renews; nine standbys wait a minute each, in vain, again and again."""
    day = Day(6 * ONE_HOUR)
    day.in_the_way(10, 0, "other")
    day.level("fencegate_lock_waiters", 9, **{"class": "other"})
    day.rate("fencegate_lock_acquire_total", 9, outcome="timeout", **{"class": "other"})
    day.waits({1: 0, 10: 0, 30: 0, 60: 9}, "timeout", "other")
    return day, dict.fromkeys((5, 20, 60, 200, 359), NOTHING)


@quiet
def a_leader_changes():
    day = Day(60)
    day.in_the_way(10, 0, "other")
    day.level("fencegate_lock_waiters", 9, **{"class": "other"})
    day.rate("fencegate_lock_acquire_total", during(20, 21, 2), outcome="granted", **{"class": "other"})
    day.waits(lambda minute: {1: 0, 10: 0, 30: 0, 60: 2 if 20 <= minute < 21 else 0}, "granted", "other")
    return day, dict.fromkeys((19, 22, 25, 31, 40), NOTHING)


@quiet
def a_single_restart():
    day = Day(90)
    day.restart(30, down=1)
    return day, dict.fromkeys((29, 30, 31, 32, 45, 61, 89), NOTHING)


@quiet
def one_mass_expiry_an_hour_ago():
    """A node with 500 workers died in the first minutes."""
    day = Day(7 * ONE_HOUR)
    day.of_class("payments", 10)
    day.expiries(during(10, 11, 500))
    return day, dict.fromkeys((12, 20, 26, 31, 40, 70, 120, 240, 400), NOTHING)


@quiet
def a_deploy():
    """Workers are replaced over ten minutes and leave their leases; the gateway restarts as well."""
    day = Day(120)
    day.restart(20, down=1)
    day.expiries(during(20, 30, 60))
    day.level("fencegate_lock_waiters", lambda minute: 40 if 20 <= minute < 32 else 0,
              **{"class": "payments"})
    day.rate("fencegate_lock_acquire_total", during(20, 30, 30), outcome="contended",
             **{"class": "payments"})
    return day, dict.fromkeys((19, 22, 26, 30, 36, 42, 50, 60, 90, 119), NOTHING)


@quiet
def a_night_without_traffic():
    day = Day(10 * ONE_HOUR)
    day.commits({0.005: 0, 0.1: 0, 1: 0, 10: 0, 60: 0})
    day.lag({0.01: 0, 1: 0, 2.5: 0, 60: 0})
    day.traffic(during(0, 30, 600))
    day.of_class("payments", during(0, 30, 600))
    day.level("fencegate_journal_transfers", 5_000)
    return day, dict.fromkeys((29, 35, 60, 120, 599), NOTHING)


@quiet
def a_load_test_within_limits():
    day = Day(120)
    busy = during(20, 80, True, False)
    day.traffic(lambda minute: 500_000 if busy(minute) else 600, slow=during(20, 80, 2_000))
    day.of_class("payments", lambda minute: 500_000 if busy(minute) else 600)
    day.level("fencegate_store_queue_depth", during(20, 80, 600, 3))
    day.level("fencegate_lock_waiters", during(20, 80, 200), **{"class": "payments"})
    day.level("fencegate_http_connections", during(20, 80, 4_000, 40), listener="public")
    day.commits(lambda minute: {0.005: 3_000, 0.1: 1_000 if busy(minute) else 20, 1: 0, 10: 0, 60: 0})
    day.level("fencegate_store_disk_free_bytes",
              lambda minute: 60e9 - 5e9 * min(max(minute - 20, 0), 60) / 60)
    return day, dict.fromkeys((19, 25, 40, 60, 79, 85, 119), NOTHING)


@quiet
def a_lock_that_is_held_long_and_that_nobody_wants():
    day = Day(120)
    day.level("fencegate_lock_oldest_hold_seconds", lambda minute: 60 * minute, **{"class": "payments"})
    return day, dict.fromkeys((40, 119), NOTHING)


@quiet
def a_class_whose_work_takes_long_and_says_so():
    day = Day(200)
    for age in ("heard", "granted"):
        day.level("fencegate_lock_in_the_way_max_seconds", 0, since=age, **{"class": "other"})
    day.in_the_way(ages_since(10, 190), ages_since(10, 190), "other")
    return day, dict.fromkeys((40, 120, 189), NOTHING)

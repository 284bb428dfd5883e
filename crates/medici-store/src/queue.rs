//! The fair queue: whose job is drawn next, and which leases run. In memory, rebuilt from the job rows at start.
//!
//! Accounts with queued jobs stand in a ring; the account in front is served next, with its oldest job, and goes
//! to the back when one of its jobs is claimed. So nobody waits for another's hundred jobs, only for one of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use medici_ledger::{AccountId, Timestamp};
use medici_studio::{Candidate, Job, JobId, JobState};

/// Queued jobs by turns, and running leases.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    lanes: HashMap<AccountId, Lane>,
    ring: BTreeMap<u64, AccountId>,
    next_turn: u64,
    queued: HashMap<JobId, AccountId>,
    running: HashMap<JobId, Running>,
    /// The open jobs that end with the process.
    attended: BTreeMap<JobId, AccountId>,
}

#[derive(Debug)]
struct Lane {
    turn: u64,
    jobs: BTreeSet<JobId>,
}

#[derive(Debug)]
struct Running {
    account: AccountId,
    worker: String,
    expires_at: Timestamp,
}

impl Queue {
    /// Takes note of a job as it was committed.
    pub(crate) fn update(&mut self, job: &Job) {
        if job.attended && job.state.is_open() {
            self.attended.insert(job.id, job.account);
        } else {
            self.attended.remove(&job.id);
        }
        match &job.state {
            JobState::Queued => {
                self.running.remove(&job.id);
                self.enqueue(job.id, job.account);
            }
            JobState::Running(lease) => {
                if self.dequeue(job.id) {
                    self.send_to_the_back(job.account);
                }
                self.running.insert(
                    job.id,
                    Running { account: job.account, worker: lease.worker.clone(), expires_at: lease.expires_at },
                );
            }
            JobState::Done { .. } | JobState::Failed { .. } | JobState::Cancelled { .. } => {
                self.dequeue(job.id);
                self.running.remove(&job.id);
            }
        }
    }

    /// Returns the job whose turn it is.
    pub(crate) fn candidate(&self) -> Option<Candidate> {
        let (_, &account) = self.ring.first_key_value()?;
        let lane = self.lanes.get(&account).expect("every account in the ring has a lane");
        let &job = lane.jobs.first().expect("a lane without jobs leaves the ring");
        Some(Candidate { job, account })
    }

    /// Returns how many jobs would be drawn before this one if nothing else came; `None` if it is not queued.
    pub(crate) fn ahead_of(&self, job: JobId) -> Option<usize> {
        let account = self.queued.get(&job)?;
        let own = &self.lanes[account];
        let before = own.jobs.range(..job).count();
        let others = self.lanes.iter().filter(|(other, _)| *other != account).map(|(_, lane)| {
            let rounds = if lane.turn < own.turn { before + 1 } else { before };
            lane.jobs.len().min(rounds)
        });
        Some(before + others.sum::<usize>())
    }

    /// Returns the open jobs that end with the process, oldest first.
    pub(crate) fn attended(&self) -> Vec<Candidate> {
        self.attended.iter().map(|(&job, &account)| Candidate { job, account }).collect()
    }

    /// Returns how many jobs are queued.
    pub(crate) fn len(&self) -> usize {
        self.queued.len()
    }

    /// Returns running jobs whose lease ended at or before `now`, or that `worker` holds.
    pub(crate) fn leases_ended(&self, now: Timestamp, worker: Option<&str>) -> Vec<Candidate> {
        let ended = |running: &Running| running.expires_at <= now || worker == Some(running.worker.as_str());
        let mut ended: Vec<_> = self
            .running
            .iter()
            .filter(|(_, running)| ended(running))
            .map(|(&job, running)| Candidate { job, account: running.account })
            .collect();
        ended.sort_by_key(|candidate| candidate.job);
        ended
    }

    fn enqueue(&mut self, job: JobId, account: AccountId) {
        if self.queued.insert(job, account).is_some() {
            return;
        }
        let turn = self.next_turn;
        let lane = self.lanes.entry(account).or_insert_with(|| {
            self.ring.insert(turn, account);
            self.next_turn += 1;
            Lane { turn, jobs: BTreeSet::new() }
        });
        lane.jobs.insert(job);
    }

    fn dequeue(&mut self, job: JobId) -> bool {
        let Some(account) = self.queued.remove(&job) else { return false };
        let lane = self.lanes.get_mut(&account).expect("a queued job stands in its account's lane");
        lane.jobs.remove(&job);
        if lane.jobs.is_empty() {
            self.ring.remove(&lane.turn);
            self.lanes.remove(&account);
        }
        true
    }

    fn send_to_the_back(&mut self, account: AccountId) {
        if let Some(lane) = self.lanes.get_mut(&account) {
            self.ring.remove(&lane.turn);
            lane.turn = self.next_turn;
            self.ring.insert(lane.turn, account);
            self.next_turn += 1;
        }
    }
}

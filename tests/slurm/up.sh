#!/bin/sh
# Start a real SLURM on this one machine: munge, slurmctld and a slurmd for each of two nodes. Needs root, and of Debian
# slurm-wlm and munge (with ACCOUNTING=1 also slurmdbd and mariadb-server). down.sh stops all of it.
set -eu
NODES=2; CPUS=2; MEM_MB=8000; ACCOUNTING=${ACCOUNTING:-0}; GPUS=${GPUS:-0}
ETC=/etc/slurm; RUN=/run/slurm-test; LOG=/var/log/slurm-test; SPOOL=/var/spool/slurm-test
MARK="# written by tests/slurm/up.sh"
HOST=$(hostname -s)

if [ -e $ETC/slurm.conf ] && [ "$(head -n 1 $ETC/slurm.conf)" != "$MARK" ]; then
    echo "$ETC/slurm.conf is not of this script: this machine may be part of a real cluster, nothing was done" >&2; exit 1
fi
wait_for() { i=0; until "$@" >/dev/null 2>&1; do i=$((i+1)); [ $i -le 300 ] || { echo "$1 does not answer; see $LOG" >&2; exit 1; }; sleep 0.1; done; }
known() { getent hosts "$1" >/dev/null || echo "127.0.0.1 $1 # slurm-test" >> /etc/hosts; }

# A cold start: job ids begin at 1, and no state of an earlier run comes back.
rm -rf $SPOOL; mkdir -p $ETC $RUN $LOG $SPOOL/ctld $SPOOL/d
known "$HOST"

# munge, which signs every message
[ -s /etc/munge/munge.key ] || dd if=/dev/urandom of=/etc/munge/munge.key bs=128 count=1 2>/dev/null
mkdir -p /run/munge /var/log/munge /var/lib/munge
chown -R munge:munge /etc/munge /run/munge /var/log/munge /var/lib/munge
chmod 700 /etc/munge /var/log/munge /var/lib/munge; chmod 755 /run/munge; chmod 400 /etc/munge/munge.key
munge -n >/dev/null 2>&1 || { setpriv --reuid=munge --regid=munge --clear-groups /usr/sbin/munged --force; : > $RUN/munged.ours; }
wait_for munge -n

storage="AccountingStorageType=accounting_storage/none"
if [ "$ACCOUNTING" = 1 ]; then
    db=$SPOOL/mysql; socket=$RUN/mysql.sock
    mkdir -p $db; chown mysql:mysql $db; chown mysql $RUN
    mariadb-install-db --no-defaults --user=mysql --datadir=$db --auth-root-authentication-method=socket >$LOG/mysql-install.log 2>&1
    setpriv --reuid=mysql --regid=mysql --init-groups /usr/sbin/mariadbd --no-defaults --datadir=$db --socket=$socket \
        --skip-networking --pid-file=$RUN/mysql.pid --innodb-buffer-pool-size=64M --innodb-lock-wait-timeout=900 >$LOG/mysql.log 2>&1 &
    wait_for mariadb-admin --no-defaults --socket=$socket ping
    mariadb --no-defaults --socket=$socket -e "CREATE DATABASE slurm_acct_db; CREATE USER slurm@localhost IDENTIFIED BY 'slurm'; GRANT ALL ON slurm_acct_db.* TO slurm@localhost;"
    (umask 077; printf '%s\n' AuthType=auth/munge DbdHost=localhost SlurmUser=root LogFile=$LOG/slurmdbd.log \
        PidFile=$RUN/slurmdbd.pid StorageType=accounting_storage/mysql StorageHost=localhost StorageUser=slurm \
        StoragePass=slurm StorageLoc=slurm_acct_db > $ETC/slurmdbd.conf)
    MYSQL_UNIX_PORT=$socket /usr/sbin/slurmdbd
    storage="AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost"
fi

: > $ETC/gres.conf; gres=; types=
if [ "$GPUS" -gt 0 ]; then  # SLURM counts GPUs by their device files: some that do nothing
    gres=" Gres=gpu:$GPUS"; types="GresTypes=gpu"
    for g in $(seq "$GPUS"); do mknod $SPOOL/gpu"$g" c 1 3; echo "Name=gpu File=$SPOOL/gpu$g" >> $ETC/gres.conf; done
fi
cat > $ETC/slurm.conf <<CONF
$MARK
ClusterName=test
SlurmctldHost=$HOST(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,sched_interval=3,bf_interval=3,requeue_delay=1
SlurmdParameters=config_overrides
StateSaveLocation=$SPOOL/ctld
SlurmdSpoolDir=$SPOOL/d/%n
SlurmctldPidFile=$RUN/slurmctld.pid
SlurmdPidFile=$RUN/slurmd.%n.pid
SlurmctldLogFile=$LOG/slurmctld.log
SlurmdLogFile=$LOG/slurmd.%n.log
EnforcePartLimits=ALL
ReturnToService=2
KillWait=10
MinJobAge=3600
# A node that does not answer for so long has failed (the default is 300)
SlurmdTimeout=10
JobAcctGatherType=jobacct_gather/linux
DefMemPerCPU=512
$storage
$types
$(for n in $(seq $NODES); do
    echo "NodeName=node$n NodeHostname=node$n NodeAddr=127.0.0.1 Port=683$n CPUs=$CPUS RealMemory=$MEM_MB$gres State=UNKNOWN"
done)
PartitionName=main Nodes=node[1-$NODES] Default=YES MaxTime=INFINITE State=UP
CONF

[ "$ACCOUNTING" = 0 ] || wait_for sacctmgr -n show cluster
/usr/sbin/slurmctld
for n in $(seq $NODES); do  # each with a host name of its own
    known "node$n"
    unshare --uts sh -c "hostname node$n && exec /usr/sbin/slurmd -N node$n"
done
idle() { [ "$(sinfo -h -t idle -o %D)" = $NODES ]; }
wait_for idle

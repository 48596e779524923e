#!/bin/sh
# Stop what up.sh has started, each daemon by the process id in its own pid file, and remove its configuration.
ETC=/etc/slurm; RUN=/run/slurm-test
[ -d $RUN ] || exit 0
alive() { state=$(sed "s/.*) //" /proc/"$1"/stat 2>/dev/null) && [ "${state%% *}" != Z ]; }
stop() {  # PIDFILE NAME
    [ -s "$1" ] || return 0
    pid=$(cat "$1")
    case "$(cat /proc/"$pid"/comm 2>/dev/null)" in  # a pid file may outlive its daemon, and its number be another's
        "$2"*) kill "$pid" 2>/dev/null
            i=0; while alive "$pid" && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done
            ! alive "$pid" || kill -9 "$pid" 2>/dev/null ;;
    esac
    rm -f "$1"
}
# Jobs first: they outlive slurmd.
if [ -s $RUN/slurmctld.pid ] && alive "$(cat $RUN/slurmctld.pid)"; then
    jobs=$(squeue -h -o %A | sort -u)
    [ -z "$jobs" ] || scancel $jobs
    i=0; while [ -n "$(squeue -h -o %A)" ] && [ $i -lt 150 ]; do sleep 0.2; i=$((i+1)); done
fi
for file in $RUN/slurmd.*.pid; do stop "$file" slurmd; done
stop $RUN/slurmctld.pid slurmctld
stop $RUN/slurmdbd.pid slurmdbd
stop $RUN/mysql.pid mariadbd
[ ! -e $RUN/munged.ours ] || { stop /run/munge/munged.pid munged; rm -f $RUN/munged.ours; }
# A slurm.conf without a controller slows every start of Snakemake by ten seconds.
[ "$(head -n 1 $ETC/slurm.conf 2>/dev/null)" != "# written by tests/slurm/up.sh" ] || rm -f $ETC/slurm.conf $ETC/gres.conf $ETC/slurmdbd.conf
if grep -q '# slurm-test$' /etc/hosts; then rest=$(grep -v '# slurm-test$' /etc/hosts); printf '%s\n' "$rest" > /etc/hosts; fi
rm -rf $RUN

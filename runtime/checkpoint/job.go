package checkpoint

import (
	"github.com/checkpoint-restore/go-criu/v8/rpc"
	"golang.org/x/sys/unix"
)

// Job is what criu is to do, and with what.
type Job struct {
	Options
	Images     int    // descriptor of the image directory, of this process
	Work       int    // of the directory of the log; -1 for that of the images
	Root       string // the container's root as criu sees it: for a restore, a mount point
	ConfigFile string // criu's own configuration file, whose settings win; "" for none
	NFTables   bool   // have criu lock the network with nftables; otherwise its default

	// Of a dump.
	Pid          int
	FreezeCgroup string
	External     []string // resources that are not to be saved, as --external of criu(8) has them

	// Of a restore.
	InheritFDs  []InheritFD
	Join        []Namespace
	CgroupRoots []CgroupRoot

	// Mounts are the external bind mounts: for a dump from mount point to name, for a restore from name to
	// source.
	Mounts []Mount
}

// InheritFD gives a resource of the image one of criu's descriptors.
type InheritFD struct {
	Key string
	FD  int
}

// Namespace is one that the restored processes join.
type Namespace struct{ Name, Path string }

// CgroupRoot says where a hierarchy's saved groups are restored. Controller is as in proc_pid_cgroup(5).
type CgroupRoot struct{ Controller, Path string }

// Mount is one entry of criu's --ext-mount-map.
type Mount struct{ Key, Value string }

// Logs are named as runc names them, since people and programs look for them.
const (
	DumpLog    = "dump.log"
	RestoreLog = "restore.log"
)

// logLevel is criu's debug: a log with less does not explain a failure.
const logLevel = 4

// common fills in what dumps and restores share.
func (j *Job) common(log string) (*rpc.CriuOpts, error) {
	mode, err := cgroupMode(j.CgroupsMode)
	if err != nil {
		return nil, err
	}
	o := &rpc.CriuOpts{
		ImagesDirFd:       new(int32(j.Images)),
		LogLevel:          new(int32(logLevel)),
		LogFile:           new(log),
		Root:              new(j.Root),
		ManageCgroups:     new(true),
		ManageCgroupsMode: &mode,
		NotifyScripts:     new(true),
		ShellJob:          new(j.ShellJob),
		TcpEstablished:    new(j.TCPEstablished),
		ExtUnixSk:         new(j.ExtUnixSk),
		FileLocks:         new(j.FileLocks),
		AutoDedup:         new(j.AutoDedup),
		LazyPages:         new(j.LazyPages),
		OrphanPtsMaster:   new(true),
		EmptyNs:           new(uint32(unix.CLONE_NEWNET)), // devices and addresses are those of who made them
	}
	if j.Work >= 0 {
		o.WorkDirFd = new(int32(j.Work))
	}
	if j.ConfigFile != "" {
		o.ConfigFile = new(j.ConfigFile)
	}
	if j.NFTables {
		o.NetworkLock = new(rpc.CriuNetworkLockMethod_NFTABLES)
	}
	for _, m := range j.Mounts {
		o.ExtMnt = append(o.ExtMnt, &rpc.ExtMountMap{Key: new(m.Key), Val: new(m.Value)})
	}
	return o, nil
}

// dump is the request of checkpoint.
func (j *Job) dump() (*rpc.CriuReq, error) {
	o, err := j.common(DumpLog)
	if err != nil {
		return nil, err
	}
	if o.Ps, err = pageServer(j.PageServer); err != nil {
		return nil, err
	}
	o.Pid = new(int32(j.Pid))
	o.LeaveRunning = new(j.LeaveRunning)
	o.TcpSkipInFlight = new(j.TCPSkipInFlight)
	o.LinkRemap = new(j.LinkRemap)
	o.External = j.External
	if j.FreezeCgroup != "" {
		o.FreezeCgroup = new(j.FreezeCgroup)
	}
	if j.ParentPath != "" {
		o.ParentImg, o.TrackMem = new(j.ParentPath), new(true)
	}
	kind := rpc.CriuReqType_DUMP
	if j.PreDump {
		kind = rpc.CriuReqType_PRE_DUMP
	}
	return &rpc.CriuReq{Type: &kind, Opts: o}, nil
}

// restore is the request of restore.
func (j *Job) restore() (*rpc.CriuReq, error) {
	o, err := j.common(RestoreLog)
	if err != nil {
		return nil, err
	}
	o.EvasiveDevices = new(true)
	o.RstSibling = new(true) // the restored init becomes this process's child, and not criu's
	if j.LSMProfile != "" {
		o.LsmProfile = new(j.LSMProfile)
	}
	if j.LSMMountContext != "" {
		o.LsmMountContext = new(j.LSMMountContext)
	}
	for _, f := range j.InheritFDs {
		o.InheritFd = append(o.InheritFd, &rpc.InheritFd{Key: new(f.Key), Fd: new(int32(f.FD))})
	}
	for _, n := range j.Join {
		o.JoinNs = append(o.JoinNs, &rpc.JoinNamespace{Ns: new(n.Name), NsFile: new(n.Path)})
	}
	for _, r := range j.CgroupRoots {
		o.CgRoot = append(o.CgRoot, &rpc.CgroupRoot{Ctrl: new(r.Controller), Path: new(r.Path)})
	}
	return &rpc.CriuReq{Type: new(rpc.CriuReqType_RESTORE), Opts: o}, nil
}

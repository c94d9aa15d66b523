// Package job is what the driver on the host and the program inside the virtual machine agree on.
package job

// File is where the initramfs holds the Job, as JSON.
const File = "/dhow/job.json"

// Port is the name of the virtio-serial port that results go to.
const Port = "dhow.results"

// A Job is what the virtual machine does before it switches itself off.
type Job struct {
	// Modules of the kernel to load, in this order: paths in the initramfs.
	Modules []string
	// Systemd boots the Debian on the disk RootDisk with systemd. Otherwise the initramfs is the system.
	Systemd bool
	Runs    []Run
}

// A Run is one program to run to its end.
type Run struct {
	Name string // of the package
	Dir  string
	Args []string
	Env  []string
	// User runs it as this user's transient service, in the group that systemd delegated to them. "": root
	User string
}

// Serial numbers of the disks: /dev/disk does not exist without udev, /sys/block/*/serial does.
const (
	RootDisk    = "root"
	ScratchDisk = "scratch" // empty, for limits on input and output
	SwapDisk    = "swap"    // formatted as swap space
	TempDisk    = "temp"    // formatted as ext4, for /tmp
)

// Lines on the port that are not a program's output start with one of these.
const (
	Begin = "\x01begin " // NAME
	End   = "\x01end "   // NAME STATUS
	Note  = "\x01note "  // something that went wrong around the runs
	Done  = "\x01done"
)

# A service manager in small: listens, keeps the sockets, and starts the program with them, again for each line on its
# standard input. Prints the pid of each. Usage: hold-sockets.pl ADDRESS[,ADDRESS...] PROGRAM [ARGUMENT...]
use strict;
use warnings;
use IO::Socket::INET;
use POSIX ();

$^F = 255;    # descriptors stay open in the program
$| = 1;
my @sockets;
for my $address (split /,/, shift @ARGV) {
    push @sockets, IO::Socket::INET->new(LocalAddr => $address, Listen => 128, ReuseAddr => 1, Proto => 'tcp')
        || die "listen $address: $!\n";
}
my $child = 0;
$SIG{CHLD} = sub { 1 while waitpid(-1, POSIX::WNOHANG()) > 0 };
while (<STDIN>) {
    $child = fork;
    die "fork: $!\n" unless defined $child;
    if (!$child) {
        # They must be 3, 4, ...: moved out of the way first.
        my @high = map { POSIX::fcntl($_, 0, 100) } @sockets;
        POSIX::dup2($high[$_], 3 + $_) for 0 .. $#high;
        POSIX::close($_) for @high;
        @ENV{qw(LISTEN_FDS LISTEN_PID LISTEN_FDNAMES)} = (scalar @sockets, $$, join ':', ('test') x @sockets);
        open STDIN, '<', '/dev/null';
        exec @ARGV or die "exec $ARGV[0]: $!\n";
    }
    print "$child\n";
}
kill 'KILL', $child if $child;

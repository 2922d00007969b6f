package io.netty.channel.uring;

import io.netty.channel.Channel;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.ServerSocketChannelConfig;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A TCP socket that listens already, passed on by the service manager, served on a ring. Netty has this for epoll
 * ({@code EpollServerSocketChannel(int)}) and, as of 4.2.18, not for io_uring; what it takes is visible in this package only,
 * which is why this class lives in Netty's. If an update of Netty breaks it, it is at compile time.
 */
public final class PassedIoUringServerSocketChannel extends AbstractIoUringServerChannel
        implements ServerSocketChannel {
    private final IoUringServerSocketChannelConfig config;

    /** @param descriptor of a socket that listens; this channel's from now on */
    public PassedIoUringServerSocketChannel(int descriptor) {
        super(new LinuxSocket(descriptor), true);
        config = new IoUringServerSocketChannelConfig(this);
    }

    @Override
    public ServerSocketChannelConfig config() {
        return config;
    }

    @Override
    Channel newChildChannel(int fd, @Nullable ByteBuffer acceptedAddressMemory) {
        // Without the peer's address in memory it is asked of the socket.
        return new IoUringSocketChannel(this, new LinuxSocket(fd));
    }

    @Override
    public @Nullable InetSocketAddress remoteAddress() {
        return (InetSocketAddress) super.remoteAddress();
    }

    @Override
    public InetSocketAddress localAddress() {
        return (InetSocketAddress) super.localAddress();
    }
}
